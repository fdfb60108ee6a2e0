// The section `postgres` of a connector's file.
#ifndef CONNECTORS_CONFIG_POSTGRES_OPTIONS_H
#define CONNECTORS_CONFIG_POSTGRES_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option postgres_options[];

/** Complains about rules between its options. */
void postgres_options_finish(const struct config_file *file, struct connector_config *c);

#endif
