// Properties of librdkafka that a user must not set or that are secret, and the properties of topics.
#ifndef CORE_CONFIG_KAFKA_PROPERTIES_H
#define CORE_CONFIG_KAFKA_PROPERTIES_H

#include <stdbool.h>

#include "core/base/fault.h"

/** Why a user must not set this property; NULL: it may be set. */
const char *kafka_properties_refusal(const char *property);

/** Whether the value must never be printed. */
bool kafka_properties_is_secret(const char *property);

/** Checks a topic property (retention.ms) and its value. FAULT_CONFIG: unknown name (suggests the nearest),
 * or wrong value. */
bool kafka_properties_check_topic(const char *property, const char *value, bool *ret_is_key_bad,
                                  struct fault *f) MUST_USE;

#endif
