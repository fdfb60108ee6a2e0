// The section `oauth2` of an HTTP endpoint's credentials.
#ifndef BRIDGE_CONFIG_OAUTH2_OPTIONS_H
#define BRIDGE_CONFIG_OAUTH2_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option oauth2_options[];

/** Complains about rules between its options. */
void oauth2_options_finish(const struct config_file *file, const struct function_config *c);

#endif
