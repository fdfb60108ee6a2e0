#include "bridge/config/auth_options.h"

#include "bridge/config/header_rules.h"
#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/http/webhook_signature.h"

static bool check_bearer(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    if (!header_value_is_printable(value) || strpbrk(value, " \t") != NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "a token must consist of visible ASCII characters, without spaces and line ends");
    }
    return true;
}

static bool check_webhook_secret(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct webhook_key *key = NULL;
    bool is_good = webhook_key_new(value, &key, f);
    webhook_key_free(key);
    return is_good;
}

static const struct config_rules bearer_rules = {.check = check_bearer};
static const struct config_rules webhook_rules = {.check = check_webhook_secret};

static const struct config_option webhook_options[] = {
    {.key = "secret",
     .type = CONFIG_SECRET,
     .is_required = true,
     .offset = offsetof(struct function_config, http.webhook_secret),
     .rules = &webhook_rules,
     .doc = "`whsec_` and the base64 of 24 to 64 bytes."},
    {.key = "previous_secret",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct function_config, http.webhook_previous_secret),
     .rules = &webhook_rules,
     .doc = "Signs too, until the receiver knows the new secret."},
    {.key = NULL},
};

const struct config_option auth_options[] = {
    {.key = "bearer",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct function_config, http.bearer),
     .rules = &bearer_rules,
     .doc = "Token for `Authorization: Bearer`."},
    {.key = "standard_webhooks",
     .type = CONFIG_SECTION,
     .section = webhook_options,
     .doc = "Signs each request as Standard Webhooks 1.0 says (HMAC-SHA256)."},
    {.key = NULL},
};

static void check_auth(const struct config_file *file)
{
    struct yaml_node *node = yaml_get(file->root, "endpoint");
    static const char *const PATH[] = {"http", "auth"};
    for (size_t i = 0; i < COUNT_OF(PATH) && node != NULL; i++) {
        node = node->kind == YAML_MAP ? yaml_get(node, PATH[i]) : NULL;
    }
    if (node != NULL && node->kind == YAML_MAP && !node->is_bad && yaml_get(node, "bearer") == NULL &&
        yaml_get(node, "standard_webhooks") == NULL) {
        config_complain_at(file, node, "auth: choose bearer or standard_webhooks, or both");
    }
}

/** A header that the credentials set, too. */
static void refuse_header(const struct config_file *file, const struct function_config *c, const char *name,
                          const char *key)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("endpoint.http.auth.%s", key);
    for (size_t i = 0; i < c->http.headers.count; i++) {
        if (strcasecmp(c->http.headers.items[i].key, name) == 0) {
            config_complain(file, path, "%s: the header %s is set too; keep one of them", key, name);
        }
    }
}

void auth_options_finish(const struct config_file *file, const struct function_config *c)
{
    static const char *const SIGNED[] = {"webhook-id", "webhook-timestamp", "webhook-signature"};
    check_auth(file);
    if (c->http.bearer != NULL) {
        refuse_header(file, c, "authorization", "bearer");
    }
    for (size_t i = 0; c->http.webhook_secret != NULL && i < COUNT_OF(SIGNED); i++) {
        refuse_header(file, c, SIGNED[i], "standard_webhooks");
    }
}
