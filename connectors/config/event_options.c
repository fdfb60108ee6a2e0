#include "connectors/config/event_options.h"

#include "core/config/config_value.h"

static const struct config_rules glob_rules = {.check = config_value_check_glob};
static const struct config_rules topic_rules = {.check = config_value_check_topic};

static const struct config_option message_options[] = {
    {.key = "include",
     .type = CONFIG_LIST,
     .offset = offsetof(struct connector_config, messages.include),
     .rules = &glob_rules,
     .doc = "Globs over the prefixes of the messages to publish, or a regular expression written `/…/`; none "
            "by default. The prefixes traceparent and tracestate (docs/tracing.md), millrace, and those that "
            "begin with millrace., are never published."},
    {.key = "exclude",
     .type = CONFIG_LIST,
     .offset = offsetof(struct connector_config, messages.exclude),
     .rules = &glob_rules,
     .doc = "Of these, the prefixes to leave out."},
    {.key = NULL},
};

static const struct config_option transaction_options[] = {
    {.key = "topic",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct connector_config, transactions.topic),
     .doc = "Publish a BEGIN and an END, with the number of its events, of each transaction to "
            "PREFIX.transaction, and each event's place in its transaction in its block `transaction`."},
    {.key = "name",
     .type = CONFIG_TEXT,
     .otherwise = "PREFIX.transaction",
     .offset = offsetof(struct connector_config, transactions.name),
     .rules = &topic_rules,
     .doc = "The topic's name."},
    {.key = NULL},
};

static const struct config_option schema_change_options[] = {
    {.key = "topic",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct connector_config, schema_changes.topic),
     .doc = "Publish a record to the topic PREFIX, which has one partition, before the first record of each "
            "new definition of a table ([connectors.md](connectors.md#schema-change-topic))."},
    {.key = NULL},
};

static const struct config_option heartbeat_options[] = {
    {.key = "interval",
     .type = CONFIG_DURATION,
     .initial = "0s",
     .min = 0,
     .max = INT64_C(86400000000),
     .offset = offsetof(struct connector_config, heartbeat.interval_us),
     .doc =
         "How often a heartbeat is published while the connector streams, at most once a second; 0s: never."},
    {.key = "topic",
     .type = CONFIG_TEXT,
     .otherwise = "__debezium-heartbeat.PREFIX",
     .offset = offsetof(struct connector_config, heartbeat.topic),
     .rules = &topic_rules,
     .doc = "Its topic."},
    {.key = "action_query",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct connector_config, heartbeat.action_query),
     .doc =
         "SQL to run in the database with each heartbeat, for at most 5 s, for example an UPDATE of a table "
         "of its own. The slot of an idle database advances without it."},
    {.key = NULL},
};

static const struct config_choice origins[] = {
    {"any", CONNECTOR_ORIGIN_ANY}, {"none", CONNECTOR_ORIGIN_NONE}, {NULL, 0}};

const struct config_option event_options[] = {
    {.key = "tombstones",
     .type = CONFIG_BOOL,
     .initial = "true",
     .offset = offsetof(struct connector_config, tombstones),
     .doc = "Publish the key and null after a delete, so that compaction removes the row."},
    {.key = "truncate",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct connector_config, truncate),
     .doc = "Publish a record without key for each table that a TRUNCATE empties; the publication then sends "
            "TRUNCATE too."},
    {.key = "origin",
     .type = CONFIG_CHOICE,
     .choices = origins,
     .initial = "any",
     .offset = offsetof(struct connector_config, origin),
     .doc = "Publish changes that another server replicated to this one too, or with none only those that "
            "were made on it (PostgreSQL 16 and newer)."},
    {.key = "messages",
     .type = CONFIG_SECTION,
     .section = message_options,
     .doc = "Which logical messages (pg_logical_emit_message) to publish to PREFIX.message."},
    {.key = "transactions",
     .type = CONFIG_SECTION,
     .section = transaction_options,
     .doc = "What to publish of transactions."},
    {.key = "schema_changes",
     .type = CONFIG_SECTION,
     .section = schema_change_options,
     .doc = "What to publish of changes of tables' definitions."},
    {.key = "heartbeat",
     .type = CONFIG_SECTION,
     .section = heartbeat_options,
     .doc = "Records that show that the connector streams."},
    {.key = NULL},
};

void event_options_finish(const struct config_file *file, struct connector_config *c)
{
    const struct yaml_node *heartbeat = yaml_get(file->root, "heartbeat");
    bool has_interval = yaml_get(heartbeat, "interval") != NULL;
    if (c->heartbeat.action_query != NULL && !has_interval) {
        config_complain(file, "heartbeat.action_query",
                        "action_query: is run with heartbeats; set interval, too");
    } else if (c->heartbeat.topic != NULL && !has_interval) {
        config_complain(file, "heartbeat.topic", "topic: gets no heartbeats without interval; set it, too");
    }
    if (c->transactions.name != NULL && !c->transactions.topic) {
        config_complain(file, "transactions.name", "name: gets no records without topic: true; set it, too");
    }
    if (c->messages.exclude.count > 0 && c->messages.include.count == 0) {
        config_complain(
            file, "messages.exclude",
            "exclude: no messages are published without include; write include: ['*'] for all others");
    }
}
