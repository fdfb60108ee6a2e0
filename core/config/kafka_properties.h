// The one table of librdkafka's properties that are not the user's to set freely, and of topic properties.
#ifndef CORE_CONFIG_KAFKA_PROPERTIES_H
#define CORE_CONFIG_KAFKA_PROPERTIES_H

#include <stdbool.h>

#include "core/base/fault.h"

/** Why millrace sets this property itself, or lets nobody set it; NULL for all others. */
const char *kafka_properties_refusal(const char *property);

/** Whether the value must never be printed. */
bool kafka_properties_is_secret(const char *property);

/** A property of a topic as brokers know it (retention.ms) and its value; FAULT_CONFIG, with the nearest
 * name. */
bool kafka_properties_check_topic(const char *property, const char *value, bool *ret_is_key_bad,
                                  struct fault *f) MUST_USE;

#endif
