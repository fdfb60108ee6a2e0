// How a function's Kafka consumer is set up: its group, its subscription, and how much it reads ahead.
#ifndef BRIDGE_INTAKE_CONSUMER_CONF_H
#define BRIDGE_INTAKE_CONSUMER_CONF_H

#include "bridge/config/function_config.h"
#include "bridge/intake/partition.h"

/** The group of a function; the caller frees it. */
char *consumer_conf_group(const char *function);

/** What to subscribe to for a configured topic: the name, or for a glob a regular expression that begins with
 * ^. */
char *consumer_conf_subscription(const char *topic);

/** What librdkafka may read ahead for each of so many partitions, so that a function's memory stays bounded.
 */
struct partition_limits consumer_conf_limits(size_t partition_count);

/** Whether so many partitions are too many for limits that were made for `planned_count`: fourfold. */
bool consumer_conf_is_outgrown(size_t planned_count, size_t partition_count);

/** A numeric property of a handle. */
int64_t consumer_conf_number(rd_kafka_t *rk, const char *property);

/** Makes the handle and subscribes. FAULT_CONFIG: librdkafka refuses a property or a topic. */
bool consumer_conf_open(const struct settings *settings, const struct function_config *config,
                        const struct partition_limits *limits, rd_kafka_t **ret, struct fault *f) MUST_USE;

/** A handle in no group, which reads from the offsets that it is told; an offset that is gone stands for the
 * earliest, and the end of a partition is said. */
bool consumer_conf_open_reader(const struct settings *settings, const struct partition_limits *limits,
                               rd_kafka_t **ret, struct fault *f) MUST_USE;

#endif
