// The section `topics` of a connector's file.
#ifndef CONNECTORS_CONFIG_TOPIC_OPTIONS_H
#define CONNECTORS_CONFIG_TOPIC_OPTIONS_H

#include "connectors/config/connector_config.h"

extern const struct config_option topic_options[];

/** Reads topics.groups. */
void topic_options_finish(const struct config_file *file, struct connector_config *c);

#endif
