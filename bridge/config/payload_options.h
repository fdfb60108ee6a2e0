// The part of functions/NAME.yaml that says what a call carries: `payload`, and a section for each kind that
// has options.
#ifndef BRIDGE_CONFIG_PAYLOAD_OPTIONS_H
#define BRIDGE_CONFIG_PAYLOAD_OPTIONS_H

#include "core/config/config.h"

struct function_config;

/** The kinds, for the option `payload`. */
extern const struct config_choice payload_kinds[];

extern const struct config_option lambda_kafka_options[];
extern const struct config_option dynamodb_stream_options[];
extern const struct config_option debezium_options[];

/** Checks what the kind needs of other options. */
void payload_options_finish(const struct config_file *file, const struct function_config *c);

#endif
