// The name of a table's topic.
#ifndef CONNECTORS_TABLE_TOPIC_H
#define CONNECTORS_TABLE_TOPIC_H

#include "connectors/config/connector_config.h"

/** The name under the connector's routes; the caller frees it. */
char *table_topic_of(const struct connector_config *config, const char *schema, const char *table);

/** `<prefix>.<schema>.<table>`, as Debezium names it; the caller frees it. */
char *table_topic_name(const char *prefix, const char *schema, const char *table);

#endif
