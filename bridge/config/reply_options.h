// The section `reply` of a function's file.
#ifndef BRIDGE_CONFIG_REPLY_OPTIONS_H
#define BRIDGE_CONFIG_REPLY_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option reply_options[];

/** Complains about rules between its options and others. */
void reply_options_finish(const struct config_file *file, struct function_config *c);

#endif
