// The table of connectors/NAME.yaml: its sections, and the groups of keys at its top. Each has a file: a key
// is added there, its value to struct connector_config.
#include "connectors/config/connector_config.h"

#include "connectors/config/capture_options.h"
#include "connectors/config/connector_topics.h"
#include "connectors/config/debezium_settings.h"
#include "connectors/config/event_options.h"
#include "connectors/config/outbox_options.h"
#include "connectors/config/postgres_options.h"
#include "connectors/config/selection_check.h"
#include "connectors/config/selection_options.h"
#include "connectors/config/slot_options.h"
#include "connectors/config/table_options.h"
#include "connectors/config/topic_options.h"
#include "connectors/config/tracing_options.h"
#include "connectors/config/types_options.h"

#include "core/base/memory.h"
#include "core/config/config_value.h"

static const struct config_rules prefix_rules = {.check = config_value_check_topic};

static const struct config_option file_options[] = {
    {.key = "postgres",
     .type = CONFIG_SECTION,
     .is_required = true,
     .section = postgres_options,
     .doc = "The database."},
    {.key = "topic_prefix",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct connector_config, topic_prefix),
     .rules = &prefix_rules,
     .doc = "First part of every topic's name: PREFIX.SCHEMA.TABLE."},
    {.key = "tables", .type = CONFIG_SECTION, .section = table_options, .doc = "Which tables."},
    {.key = "slot",
     .type = CONFIG_SECTION,
     .section = slot_options,
     .doc = "What the connector keeps in PostgreSQL. NAME is the file's name with _ for -."},
    {.group = selection_options},
    {.key = "outbox",
     .type = CONFIG_SECTION,
     .section = outbox_options,
     .doc = "A table whose rows are events to publish as they are "
            "([connectors.md](connectors.md#outbox))."},
    {.group = capture_options},
    {.group = event_options},
    {.group = types_options},
    {.key = "topics",
     .type = CONFIG_SECTION,
     .section = topic_options,
     .doc = "For topics that the connector creates; those that are there stay as they are."},
    {.key = "tracing",
     .type = CONFIG_SECTION,
     .section = tracing_options,
     .doc = "Where the trace of a change is, besides its transaction (docs/tracing.md)."},
    {.key = NULL},
};

static void finish(const struct config_file *file, void *config)
{
    struct connector_config *c = config;
    c->name = memory_string(file->name);
    selection_options_finish(file, c);
    topic_options_finish(file, c);
    event_options_finish(file, c);
    outbox_options_finish(file, c);
    types_options_finish(file, c);
    slot_options_finish(file, c);
    postgres_options_finish(file, c);
    selection_check(file, c);
    connector_topics_check(file, c);
}

const struct config_kind connector_config_kind = {
    .name = "connector",
    .place = "connectors/NAME.yaml",
    .doc = "One database whose changes go to Kafka. The file's name is the connector's.",
    .example = "postgres:\n"
               "  dsn: host=db dbname=shop user=millrace\n"
               "  password: {env: SHOP_PASSWORD}\n"
               "topic_prefix: shop\n"
               "tables: {include: [public.*], exclude: [public.audit_*]}\n"
               "snapshot: initial\n"
               "topics: {partitions: 6, replication: 3, config: {retention.ms: 604800000}}\n",
    .options = file_options,
    .foreigner = &debezium_settings,
    .size = sizeof(struct connector_config),
    .finish = finish,
};
