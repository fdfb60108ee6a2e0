#include "connectors/postgres/catalogue/table_filter.h"

#include "connectors/config/connector_topics.h"
#include "connectors/table_topic.h"
#include "core/base/memory.h"

bool table_filter_matches(const struct connector_config *config, const char *schema, const char *name,
                          const struct text_list *ancestors)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", schema, name);
    bool is_included = text_list_name_match(&config->tables.include, full);
    bool is_excluded = text_list_name_match(&config->tables.exclude, full);
    for (size_t i = 0; i < ancestors->count; i++) {
        is_included = is_included || text_list_name_match(&config->tables.include, ancestors->items[i]);
        is_excluded = is_excluded || text_list_name_match(&config->tables.exclude, ancestors->items[i]);
    }
    return is_included && !is_excluded;
}

bool table_filter_has_topic(const struct connector_config *config, const char *schema, const char *name,
                            struct fault *f)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", schema, name);
    if (config->outbox.table != NULL && strcmp(config->outbox.table, full) == 0) {
        return true;  // its events choose their topics
    }
    CLEANUP(memory_free_pointer) char *topic = table_topic_of(config, schema, name);
    return connector_topics_permits(config, CONNECTOR_ROWS, topic, f);
}

bool table_filter_wants(const struct connector_config *config, const char *schema, const char *name,
                        const struct text_list *ancestors)
{
    struct fault f;
    return table_filter_matches(config, schema, name, ancestors) &&
           table_filter_has_topic(config, schema, name, &f);
}
