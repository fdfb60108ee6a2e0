// Keys of a connector's file, at its top: records besides those of rows.
#ifndef CONNECTORS_CONFIG_EVENT_OPTIONS_H
#define CONNECTORS_CONFIG_EVENT_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option event_options[];

#endif
