#include "connectors/table_topic.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/base/name_regex.h"
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

// What a route's topic may refer to: {prefix}, {schema}, {table}, and {1} … {9}, groups of its match.
struct references {
    const char *names[3];
    struct slice values[3];
    struct slice groups[NAME_REGEX_GROUPS];
};

// The reference that the form begins with; 0: none. Otherwise its size.
static size_t read_reference(const struct references *r, const char *form, struct slice *ret)
{
    if (form[0] == '{' && form[1] >= '1' && form[1] <= '9' && form[2] == '}') {
        *ret = r->groups[form[1] - '1'];
        return 3;
    }
    for (size_t i = 0; i < COUNT_OF(r->names); i++) {
        size_t size = strlen(r->names[i]);
        if (strncmp(form, r->names[i], size) == 0) {
            *ret = r->values[i];
            return size;
        }
    }
    return 0;
}

static char *expand(const char *form, const struct references *references)
{
    CLEANUP(bytes_clear) struct bytes full = {0};
    while (*form != '\0') {
        struct slice value;
        size_t taken = read_reference(references, form, &value);
        bytes_append_slice(&full, taken == 0 ? slice_make(form, 1) : value);
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
    struct references references = {
        .names = {"{prefix}", "{schema}", "{table}"},
        .values = {slice_of(config->topic_prefix), slice_of(schema), slice_of(table)}};
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct connector_route *route = &config->routes.items[i];
        if (route->match != NULL && matches(route->match, full, references.groups)) {
            return expand(route->topic, &references);
        }
    }
    return table_topic_name(config->topic_prefix, schema, table);
}
