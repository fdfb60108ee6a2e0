// Topics of a connector whose records do not depend on a table: messages, transactions, schema changes,
// heartbeats. Each has a "table version" without columns that carries its name (connector_topics.h) and
// schemas; the caller frees it.
#ifndef CONNECTORS_EVENT_TOPICS_H
#define CONNECTORS_EVENT_TOPICS_H

#include "connectors/config/connector_config.h"
#include "schemas/avro/table.h"

struct table *event_topics_messages(const struct connector_config *config);
struct table *event_topics_transactions(const struct connector_config *config);
struct table *event_topics_schema_changes(const struct connector_config *config);
struct table *event_topics_heartbeats(const struct connector_config *config);

#endif
