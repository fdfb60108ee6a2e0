// Which tables the configuration captures.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_TABLE_FILTER_H
#define CONNECTORS_POSTGRES_CATALOGUE_TABLE_FILTER_H

#include "connectors/config/connector_config.h"
#include "core/base/fault.h"
#include "core/base/text.h"

/**
 * Whether the configuration selects the table: tables.include matches it or a partitioned table that it is a
 * partition of (at any level), and tables.exclude matches none of them.
 *
 * @param ancestors  the partitioned tables above it, "schema.table"
 */
bool table_filter_matches(const struct connector_config *config, const char *schema, const char *name,
                          const struct text_list *ancestors);

/** Whether its rows have a topic of their own; FAULT_CONFIG: it is reserved, or has records of another kind.
 */
bool table_filter_has_topic(const struct connector_config *config, const char *schema, const char *name,
                            struct fault *f) MUST_USE;

/** Whether the table is captured: both. */
bool table_filter_wants(const struct connector_config *config, const char *schema, const char *name,
                        const struct text_list *ancestors);

#endif
