#include "connectors/config/capture_options.h"

static const struct config_choice snapshots[] = {
    {"initial", CONNECTOR_SNAPSHOT_INITIAL}, {"never", CONNECTOR_SNAPSHOT_NEVER}, {NULL, 0}};
static const struct config_choice bad_rows[] = {
    {"stop", CONNECTOR_BAD_ROW_STOP}, {"dead_letter", CONNECTOR_BAD_ROW_DEAD_LETTER}, {NULL, 0}};
static const struct config_choice incompatibles[] = {
    {"stop", CONNECTOR_INCOMPATIBLE_STOP}, {"fork", CONNECTOR_INCOMPATIBLE_FORK}, {NULL, 0}};
static const struct config_choice deliveries[] = {{"at_least_once", 0}, {NULL, 0}};

const struct config_option capture_options[] = {
    {.key = "snapshot",
     .type = CONFIG_CHOICE,
     .choices = snapshots,
     .initial = "initial",
     .offset = offsetof(struct connector_config, snapshot),
     .doc =
         "Publish the rows that are there at the first start, or only what changes from then on. With "
         "initial, a slot that exists before the first start is refused. Tables that appear later are read "
         "either way."},
    {.key = "on_bad_row",
     .type = CONFIG_CHOICE,
     .choices = bad_rows,
     .initial = "stop",
     .offset = offsetof(struct connector_config, on_bad_row),
     .doc =
         "What to do with a row that Kafka can't take (too large) or that can't be encoded in Avro (numeric "
         "NaN in a NOT NULL column): stop its table there, or put it aside and go on."},
    {.key = "on_incompatible",
     .type = CONFIG_CHOICE,
     .choices = incompatibles,
     .initial = "stop",
     .offset = offsetof(struct connector_config, on_incompatible),
     .doc =
         "What to do when the registry refuses a table's new schema as incompatible: stop this table there, "
         "or go on in topic TOPIC.v2 (then .v3 …), whose subjects are new. Other tables go on either way."},
    {.key = "delivery",
     .type = CONFIG_CHOICE,
     .choices = deliveries,
     .initial = "at_least_once",
     .offset = CONFIG_NO_TARGET,
     .doc = "What Kafka gets: every change, some twice after a crash, with the same id."},
    {.key = NULL},
};
