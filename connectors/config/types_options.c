#include "connectors/config/types_options.h"

static const struct config_choice types[] = {{"debezium", 0}, {NULL, 0}};

const struct config_option types_options[] = {
    {.key = "types",
     .type = CONFIG_CHOICE,
     .choices = types,
     .initial = "debezium",
     .offset = CONFIG_NO_TARGET,
     .doc = "How column types become Avro: as Debezium does it."},
    {.key = NULL},
};
