// Keys of a connector's file, at its top: records besides those of rows.
#ifndef CONNECTORS_CONFIG_EVENT_OPTIONS_H
#define CONNECTORS_CONFIG_EVENT_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option event_options[];

/** Complains about keys that have no effect without another one. */
void event_options_finish(const struct config_file *file, struct connector_config *c);

#endif
