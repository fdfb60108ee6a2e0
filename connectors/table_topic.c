#include "connectors/table_topic.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

// Kafka allows [A-Za-z0-9._-] in a topic's name. Debezium replaces each other Java char by '_'.
char *table_topic_name(const char *prefix, const char *schema, const char *table)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s.%s", prefix, schema, table);
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
