#include "connectors/table_topic.h"

#include <string.h>

#include "connectors/config/topic_reference.h"
#include "core/base/memory.h"
#include "core/base/text.h"

// Kafka allows [A-Za-z0-9._-] in a topic's name. Debezium replaces each other Java char by '_'.
static char *adjust(const char *full)
{
    CLEANUP(bytes_clear) struct bytes topic = {0};
    for (const char *at = full; *at != '\0'; at++) {
        bool is_letter =
            (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (is_letter || strchr("._-", *at) != NULL) {
            bytes_append_byte(&topic, (uint8_t)*at);
            continue;
        }
        for (int i = text_java_units((uint8_t)*at); i > 0; i--) {
            bytes_append_byte(&topic, '_');
        }
    }
    return slice_to_string(bytes_slice(&topic));
}

char *table_topic_name(const char *prefix, const char *schema, const char *table)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s.%s", prefix, schema, table);
    return adjust(full);
}

static char *expand(const char *form, const struct slice values[TOPIC_REFERENCE_COUNT])
{
    CLEANUP(bytes_clear) struct bytes full = {0};
    while (*form != '\0') {
        enum topic_reference reference;
        size_t taken = topic_reference_read(form, &reference);
        bytes_append_slice(&full, taken == 0 ? slice_make(form, 1) : values[reference]);
        form += taken == 0 ? 1 : taken;
    }
    return adjust(bytes_text(&full));
}

static bool matches(const char *match, const char *full, struct slice groups[NAME_REGEX_GROUPS])
{
    return name_regex_is(match) ? name_regex_groups(match, full, true, groups) : text_name_match(match, full);
}

char *table_topic_of(const struct connector_config *config, const char *schema, const char *table)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", schema, table);
    struct slice values[TOPIC_REFERENCE_COUNT] = {[TOPIC_REFERENCE_PREFIX] = slice_of(config->topic_prefix),
                                                  [TOPIC_REFERENCE_SCHEMA] = slice_of(schema),
                                                  [TOPIC_REFERENCE_TABLE] = slice_of(table)};
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct connector_route *route = &config->routes.items[i];
        if (route->match != NULL && matches(route->match, full, &values[TOPIC_REFERENCE_GROUP])) {
            return expand(route->topic, values);
        }
    }
    return table_topic_name(config->topic_prefix, schema, table);
}
