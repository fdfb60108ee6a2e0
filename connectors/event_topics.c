#include "connectors/event_topics.h"

#include "connectors/config/connector_topics.h"
#include "core/base/memory.h"
#include "schemas/avro/event_schemas.h"

static struct table *make(const struct connector_config *config, enum connector_records kind,
                          const char *key_schema, const char *value_schema)
{
    struct table *t = memory_zeroed(1, sizeof(*t));
    t->prefix = memory_string(config->topic_prefix);
    t->schema = memory_string("");
    t->name = memory_string("");
    t->topic = connector_topics_name(config, kind);
    t->key_schema = memory_string(event_schemas_text(key_schema));
    t->value_schema = memory_string(event_schemas_text(value_schema));
    return t;
}

struct table *event_topics_messages(const struct connector_config *config)
{
    return make(config, CONNECTOR_MESSAGES, "message-key", "message-value");
}

struct table *event_topics_transactions(const struct connector_config *config)
{
    return make(config, CONNECTOR_TRANSACTIONS, "transaction-key", "transaction-value");
}

struct table *event_topics_schema_changes(const struct connector_config *config)
{
    return make(config, CONNECTOR_SCHEMA_CHANGES, "schema-change-key", "schema-change-value");
}

struct table *event_topics_heartbeats(const struct connector_config *config)
{
    return make(config, CONNECTOR_HEARTBEATS, "heartbeat-key", "heartbeat-value");
}
