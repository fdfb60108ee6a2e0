// Which tables the configuration captures.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_TABLE_FILTER_H
#define CONNECTORS_POSTGRES_CATALOGUE_TABLE_FILTER_H

#include "connectors/config/connector_config.h"
#include "core/base/text.h"

/**
 * Whether the table is captured: tables.include matches it or a partitioned table that it is a partition of
 * (at any level), and tables.exclude matches none of them.
 *
 * @param ancestors  the partitioned tables above it, "schema.table"
 */
bool table_filter_wants(const struct connector_config *config, const char *schema, const char *name,
                        const struct text_list *ancestors);

#endif
