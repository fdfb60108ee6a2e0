// The section `auth` of an HTTP endpoint: the credentials of its requests.
#ifndef BRIDGE_CONFIG_AUTH_OPTIONS_H
#define BRIDGE_CONFIG_AUTH_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_option auth_options[];

/** Complains about rules between its options, and about headers that credentials set, too. */
void auth_options_finish(const struct config_file *file, struct function_config *c);

#endif
