#include "core/config/settings_kafka.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/config_value.h"
#include "core/config/kafka_properties.h"

// The names of librdkafka's properties, to suggest one: the first column of rd_kafka_conf_properties_show.
static void list_property_names(struct text_list *names)
{
    CLEANUP(memory_free_pointer) char *table = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&table, &size);
    INVARIANT(file != NULL);
    rd_kafka_conf_properties_show(file);
    INVARIANT(fclose(file) == 0);
    for (const char *line = table; *line != '\0';) {
        size_t length = strcspn(line, " \n");
        if (length > 0 && line[0] >= 'a' && line[0] <= 'z') {
            CLEANUP(memory_free_pointer) char *name = slice_to_string(slice_make(line, length));
            text_list_add(names, name);
        }
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
}

static void refuse_unknown_property(const char *property, struct fault *f)
{
    CLEANUP(text_list_clear) struct text_list names = {0};
    list_property_names(&names);
    const char **words = memory_zeroed(names.count + 1, sizeof(*words));
    for (size_t i = 0; i < names.count; i++) {
        words[i] = names.items[i];
    }
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(property, &quoted);
    const char *near = text_nearest(property, words);
    if (near == NULL) {
        (void)fault_set(f, FAULT_CONFIG, "librdkafka has no property %s", bytes_text(&quoted));
    } else {
        (void)fault_set(f, FAULT_CONFIG, "librdkafka has no property %s; did you mean \"%s\"?",
                        bytes_text(&quoted), near);
    }
    free(words);
}

static void free_conf(rd_kafka_conf_t **conf)
{
    rd_kafka_conf_destroy(*conf);
}

static enum config_verdict check_property(const char *property, const char *value, struct fault *f)
{
    const char *refusal = kafka_properties_refusal(property);
    if (refusal != NULL) {
        (void)fault_set(f, FAULT_CONFIG, "%s can't be set: %s", property, refusal);
        return CONFIG_BAD_KEY;
    }
    CLEANUP(free_conf) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[300];
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, property, value == NULL ? "" : value, why, sizeof(why));
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        refuse_unknown_property(property, f);
        return CONFIG_BAD_KEY;
    }
    if (result == RD_KAFKA_CONF_OK || value == NULL) {
        return CONFIG_GOOD;
    }
    (void)fault_set(f, FAULT_CONFIG, "%s",
                    kafka_properties_is_secret(property) ? "not a value librdkafka takes" : why);
    return CONFIG_BAD_VALUE;
}

const struct config_rules settings_kafka_rules = {
    .check_pair = check_property,
    .is_secret = kafka_properties_is_secret,
};

static bool has_servers(const struct yaml_node *kafka)
{
    static const char *const wanted[] = {"bootstrap.servers", NULL};
    for (size_t i = 0; i < kafka->count; i++) {
        // A misspelt bootstrap.servers has a complaint already.
        if (text_nearest(kafka->keys[i]->text, wanted) != NULL && kafka->items[i]->kind != YAML_NULL) {
            return true;
        }
    }
    return false;
}

void settings_kafka_check(const struct config_file *file)
{
    const struct yaml_node *kafka = yaml_get(file->root, "kafka");
    if (kafka != NULL && kafka->kind == YAML_MAP && !has_servers(kafka)) {
        config_complain(file, "kafka",
                        "required key \"bootstrap.servers\" is missing: HOST:PORT of a broker");
    }
}
