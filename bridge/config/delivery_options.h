// The section `delivery` of a function's file.
#ifndef BRIDGE_CONFIG_DELIVERY_OPTIONS_H
#define BRIDGE_CONFIG_DELIVERY_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option delivery_options[];

/** Complains about rules between its options. */
void delivery_options_finish(const struct config_file *file, struct function_config *c);

#endif
