// The section `http` of a function's endpoint.
#ifndef BRIDGE_CONFIG_HTTP_OPTIONS_H
#define BRIDGE_CONFIG_HTTP_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option http_options[];

/** Complains about rules between its options. */
void http_options_finish(const struct config_file *file, struct function_config *c);

#endif
