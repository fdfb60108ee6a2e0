// Topics of a connector whose records do not depend on a table: messages, transactions, schema
// changes, heartbeats. Each has
// a "table version" without columns that carries its name and schemas.
#ifndef CONNECTORS_EVENT_TOPICS_H
#define CONNECTORS_EVENT_TOPICS_H

#include "schemas/avro/table.h"

/** `<prefix>.message`; the caller frees it. */
struct table *event_topics_messages(const char *prefix);

/** `<prefix>.transaction`. */
struct table *event_topics_transactions(const char *prefix);

/** `<prefix>`: the schema-change topic. */
struct table *event_topics_schema_changes(const char *prefix);

/** @param topic  NULL: `__debezium-heartbeat.<prefix>` */
struct table *event_topics_heartbeats(const char *prefix, const char *topic);

#endif
