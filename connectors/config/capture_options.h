// Keys of a connector's file, at its top: which changes become records.
#ifndef CONNECTORS_CONFIG_CAPTURE_OPTIONS_H
#define CONNECTORS_CONFIG_CAPTURE_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option capture_options[];

#endif
