#include "connectors/config/tracing_options.h"

const struct config_option tracing_options[] = {
    {.key = "column",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct connector_config, tracing.column),
     .doc = "Name of a text column whose value is the traceparent of the row's last change, or has a line "
            "`traceparent=…`, as Debezium's `tracingspancontext`. Tables without it have none; a message in "
            "the transaction takes precedence."},
    {.key = NULL},
};
