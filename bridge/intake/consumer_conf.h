// The configuration of a function's Kafka consumer: group, subscription, limits of read-ahead.
#ifndef BRIDGE_INTAKE_CONSUMER_CONF_H
#define BRIDGE_INTAKE_CONSUMER_CONF_H

#include "bridge/config/function_config.h"
#include "bridge/intake/join_watch.h"
#include "bridge/intake/partition.h"

/** The subscription for a configured topic: its name, or for a glob a regular expression that begins with ^.
 */
char *consumer_conf_subscription(const char *topic);

/** What librdkafka may read ahead for each of `partition_count` partitions, within one limit for the
 * function. */
struct partition_limits consumer_conf_limits(size_t partition_count);

/** Whether there are over four times as many partitions as the limits were made for, and new limits would
 * differ. */
bool consumer_conf_is_outgrown(size_t planned_count, size_t partition_count);

/** The value of a numeric property of a client. */
int64_t consumer_conf_number(rd_kafka_t *rk, const char *property);

/** A group, and what its members read. */
struct consumer_group {
    const char *group;
    const struct text_list *topics;  // names or globs
};

/** Creates the client, which `join` watches, and subscribes. FAULT_CONFIG: librdkafka refuses a property or a
 * topic. */
bool consumer_conf_open(const struct settings *settings, const struct consumer_group *member,
                        const struct partition_limits *limits, struct join_watch *join, rd_kafka_t **ret,
                        struct fault *f) MUST_USE;

/** Creates a client without a group, for reading at given offsets. An offset out of range means the earliest;
 * the end of a partition is reported (RD_KAFKA_RESP_ERR__PARTITION_EOF). */
bool consumer_conf_open_reader(const struct settings *settings, const struct partition_limits *limits,
                               rd_kafka_t **ret, struct fault *f) MUST_USE;

#endif
