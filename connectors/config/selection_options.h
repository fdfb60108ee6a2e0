// Keys of a connector's file, at its top: which columns, rows and operations, and the keys and topics of
// records.
#ifndef CONNECTORS_CONFIG_SELECTION_OPTIONS_H
#define CONNECTORS_CONFIG_SELECTION_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option selection_options[];

/** Reads the trees of its options. */
void selection_options_finish(const struct config_file *file, struct connector_config *c);

#endif
