// The section `process` of an endpoint: a function that runs on this machine.
#ifndef BRIDGE_CONFIG_PROCESS_OPTIONS_H
#define BRIDGE_CONFIG_PROCESS_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option process_options[];

/** Makes the directory absolute, sets the concurrency that the file leaves out, and complains about what
 * can't be started. */
void process_options_finish(const struct config_file *file, struct function_config *c);

#endif
