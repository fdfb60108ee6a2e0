// The section `endpoint` of a function's file: one table for each kind of endpoint.
#ifndef BRIDGE_CONFIG_ENDPOINT_OPTIONS_H
#define BRIDGE_CONFIG_ENDPOINT_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option endpoint_options[];

/** Sets the kind of endpoint; complains unless there is exactly one, and about rules between its options. */
void endpoint_options_finish(const struct config_file *file, struct function_config *c);

#endif
