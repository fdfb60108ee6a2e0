// The section `tracing` of a connector's file.
#ifndef CONNECTORS_CONFIG_TRACING_OPTIONS_H
#define CONNECTORS_CONFIG_TRACING_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option tracing_options[];

#endif
