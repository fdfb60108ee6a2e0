// The section `endpoint` of a function's file: one table for each kind of endpoint.
#ifndef BRIDGE_CONFIG_ENDPOINT_OPTIONS_H
#define BRIDGE_CONFIG_ENDPOINT_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option endpoint_options[];

/** The payload of a function whose file names none, by its kind of endpoint; before other checks of the
 * payload. */
void endpoint_options_choose_payload(const struct config_file *file, struct function_config *c);

/** Sets the kind of endpoint; complains unless there is exactly one, and about rules between its options. */
void endpoint_options_finish(const struct config_file *file, struct function_config *c);

#endif
