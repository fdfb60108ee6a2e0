#include "bridge/config/endpoint_options.h"

#include "bridge/config/http_options.h"
#include "bridge/config/lambda_options.h"
#include "bridge/config/process_options.h"
#include "core/config/config_value.h"

const struct config_option endpoint_options[] = {
    {.key = "http", .type = CONFIG_SECTION, .section = http_options, .doc = "An HTTP server."},
    {.key = "lambda",
     .type = CONFIG_SECTION,
     .section = lambda_options,
     .doc = "A function of AWS Lambda ([lambda.md](lambda.md))."},
    {.key = "process",
     .type = CONFIG_SECTION,
     .section = process_options,
     .doc = "A program on this machine, started and called as AWS Lambda does "
            "([local-functions.md](local-functions.md))."},
    {.key = NULL},
};

/** The kinds, in the order of endpoint_options. */
static const struct {
    enum function_endpoint kind;
    void (*finish)(const struct config_file *file, struct function_config *c);
} KINDS[] = {
    {FUNCTION_ENDPOINT_HTTP, http_options_finish},
    {FUNCTION_ENDPOINT_LAMBDA, lambda_options_finish},
    {FUNCTION_ENDPOINT_PROCESS, process_options_finish},
};

static void complain_of_none(const struct config_file *file, struct yaml_node *section)
{
    CLEANUP(bytes_clear) struct bytes names = {0};
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        bytes_append_string(&names, i == 0 ? "" : i + 1 == COUNT_OF(KINDS) ? " or " : ", ");
        bytes_append_string(&names, endpoint_options[i].key);
    }
    config_complain_at(file, section, "endpoint: choose a kind of endpoint: %s", bytes_text(&names));
}

/** The place of the kind in KINDS; the first one when the file does not say. */
static size_t choose_kind(const struct config_file *file)
{
    struct yaml_node *section = yaml_get(file->root, "endpoint");
    size_t ret = 0;
    if (section == NULL || section->kind != YAML_MAP) {
        return ret;  // complained about already
    }
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct yaml_node *node = yaml_get(section, endpoint_options[i].key);
        if (node == NULL || node->kind == YAML_NULL) {
            continue;
        }
        ret = i;
        if (++count == 2) {
            config_complain_at(file, node, "endpoint: a function has one kind of endpoint; keep one of them");
        }
    }
    if (count == 0 && !section->is_bad) {
        complain_of_none(file, section);
    }
    return ret;
}

void endpoint_options_choose_payload(const struct config_file *file, struct function_config *c)
{
    struct yaml_node *endpoint = yaml_get(file->root, "endpoint");
    bool is_lambda_api = yaml_get(endpoint, "lambda") != NULL || yaml_get(endpoint, "process") != NULL;
    if (is_lambda_api && yaml_get(file->root, "payload") == NULL) {
        c->payload = FUNCTION_PAYLOAD_LAMBDA_KAFKA;
    }
}

void endpoint_options_finish(const struct config_file *file, struct function_config *c)
{
    size_t chosen = choose_kind(file);
    c->endpoint = KINDS[chosen].kind;
    KINDS[chosen].finish(file, c);
}
