#include "connectors/event_topics.h"

#include "core/base/memory.h"
#include "schemas/avro/event_schemas.h"

static struct table *make(const char *prefix, char *topic, const char *key_schema, const char *value_schema)
{
    struct table *t = memory_zeroed(1, sizeof(*t));
    t->prefix = memory_string(prefix);
    t->schema = memory_string("");
    t->name = memory_string("");
    t->topic = topic;
    t->key_schema = memory_string(event_schemas_text(key_schema));
    t->value_schema = memory_string(event_schemas_text(value_schema));
    return t;
}

struct table *event_topics_messages(const char *prefix)
{
    return make(prefix, memory_format("%s.message", prefix), "message-key", "message-value");
}

struct table *event_topics_transactions(const char *prefix)
{
    return make(prefix, memory_format("%s.transaction", prefix), "transaction-key", "transaction-value");
}

struct table *event_topics_schema_changes(const char *prefix)
{
    return make(prefix, memory_string(prefix), "schema-change-key", "schema-change-value");
}

struct table *event_topics_heartbeats(const char *prefix, const char *topic)
{
    return make(prefix,
                topic == NULL ? memory_format("__debezium-heartbeat.%s", prefix) : memory_string(topic),
                "heartbeat-key", "heartbeat-value");
}
