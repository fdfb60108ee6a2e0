// Which tables are captured, and under which topics.
#include "connectors/postgres/catalogue/pg_relations.h"
#include "core/base/text.h"

bool pg_relations_wants(const struct connector_config *config, const char *schema, const char *name,
                        const struct text_list *ancestors)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", schema, name);
    bool is_included = text_list_glob_match(&config->tables.include, full);
    bool is_excluded = text_list_glob_match(&config->tables.exclude, full);
    for (size_t i = 0; i < ancestors->count; i++) {
        is_included = is_included || text_list_glob_match(&config->tables.include, ancestors->items[i]);
        is_excluded = is_excluded || text_list_glob_match(&config->tables.exclude, ancestors->items[i]);
    }
    return is_included && !is_excluded;
}

// Kafka allows [A-Za-z0-9._-] in a topic's name; Debezium puts '_' for each other character of Java's.
char *pg_relations_topic(const char *prefix, const char *schema, const char *name)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s.%s", prefix, schema, name);
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
