// The section `outbox` of a connector's file.
#ifndef CONNECTORS_CONFIG_OUTBOX_OPTIONS_H
#define CONNECTORS_CONFIG_OUTBOX_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option outbox_options[];

/** Complains about rules between its options and others. */
void outbox_options_finish(const struct config_file *file, struct connector_config *c);

#endif
