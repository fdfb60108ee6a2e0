// The section `tables` of a connector's file.
#ifndef CONNECTORS_CONFIG_TABLE_OPTIONS_H
#define CONNECTORS_CONFIG_TABLE_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option table_options[];

#endif
