// Keys of a connector's file, at its top: what the column types become.
#ifndef CONNECTORS_CONFIG_TYPES_OPTIONS_H
#define CONNECTORS_CONFIG_TYPES_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option types_options[];

void types_options_finish(const struct config_file *file, struct connector_config *c);

#endif
