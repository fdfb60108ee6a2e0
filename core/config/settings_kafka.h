// The section `kafka` of millrace.yaml: librdkafka's properties.
#ifndef CORE_CONFIG_SETTINGS_KAFKA_H
#define CORE_CONFIG_SETTINGS_KAFKA_H

#include "core/config/config.h"

/** Of each property: known to librdkafka, and none that the delivery guarantees depend on. */
extern const struct config_rules settings_kafka_rules;

/** Complains when the section names no broker. */
void settings_kafka_check(const struct config_file *file);

#endif
