#include "connectors/config/types_options.h"

static const struct config_choice types[] = {{"debezium", 0}, {NULL, 0}};

const struct config_option types_options[] = {
    {.key = "hstore",
     .type = CONFIG_CHOICE,
     .choices = (const struct config_choice[]){{"json", HSTORE_JSON}, {"map", HSTORE_MAP}, {NULL, 0}},
     .initial = "json",
     .offset = offsetof(struct connector_config, hstore),
     .doc = "hstore: a string of JSON, or a map of nullable strings."},
    {.key = "types",
     .type = CONFIG_CHOICE,
     .choices = types,
     .initial = "debezium",
     .offset = CONFIG_NO_TARGET,
     .doc = "How column types become Avro: as Debezium does it."},
    {.key = NULL},
};
