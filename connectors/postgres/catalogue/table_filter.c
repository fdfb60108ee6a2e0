#include "connectors/postgres/catalogue/table_filter.h"

bool table_filter_wants(const struct connector_config *config, const char *schema, const char *name,
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
