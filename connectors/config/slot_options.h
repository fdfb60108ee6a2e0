// The section `slot` of a connector's file.
#ifndef CONNECTORS_CONFIG_SLOT_OPTIONS_H
#define CONNECTORS_CONFIG_SLOT_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option slot_options[];

/** Sets the default names; complains about names that are too long. */
void slot_options_finish(const struct config_file *file, struct connector_config *c);

#endif
