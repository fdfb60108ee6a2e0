// The settings of Debezium's PostgreSQL connector and what answers each of them here.
#ifndef CONNECTORS_CONFIG_DEBEZIUM_SETTINGS_H
#define CONNECTORS_CONFIG_DEBEZIUM_SETTINGS_H

#include "core/config/config_foreign.h"

extern const struct config_foreigner debezium_settings;

#endif
