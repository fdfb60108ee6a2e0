// Slips in the globs of a connector's file that match something else than was meant, or nothing.
#ifndef CONNECTORS_CONFIG_SELECTION_CHECK_H
#define CONNECTORS_CONFIG_SELECTION_CHECK_H

#include "connectors/config/connector_config.h"

/** Complains about globs over tables, columns and prefixes of messages that can't be meant as they stand. */
void selection_check(const struct config_file *file, const struct connector_config *c);

#endif
