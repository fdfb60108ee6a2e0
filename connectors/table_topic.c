#include "connectors/table_topic.h"

#include <string.h>

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

static char *expand(const char *topic, const char *prefix, const char *schema, const char *table)
{
    const struct {
        const char *reference;
        const char *value;
    } parts[] = {{"{prefix}", prefix}, {"{schema}", schema}, {"{table}", table}};
    CLEANUP(bytes_clear) struct bytes full = {0};
    while (*topic != '\0') {
        size_t taken = 0;
        for (size_t i = 0; i < COUNT_OF(parts) && taken == 0; i++) {
            if (strncmp(topic, parts[i].reference, strlen(parts[i].reference)) == 0) {
                bytes_append_string(&full, parts[i].value);
                taken = strlen(parts[i].reference);
            }
        }
        if (taken == 0) {
            bytes_append_byte(&full, (uint8_t)*topic);
        }
        topic += taken == 0 ? 1 : taken;
    }
    return adjust(bytes_text(&full));
}

char *table_topic_of(const struct connector_config *config, const char *schema, const char *table)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", schema, table);
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct connector_route *route = &config->routes.items[i];
        if (route->match != NULL && text_name_match(route->match, full)) {
            return expand(route->topic, config->topic_prefix, schema, table);
        }
    }
    return table_topic_name(config->topic_prefix, schema, table);
}
