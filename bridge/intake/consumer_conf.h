// The configuration of a function's Kafka consumer: group, subscription, limits of read-ahead.
#ifndef BRIDGE_INTAKE_CONSUMER_CONF_H
#define BRIDGE_INTAKE_CONSUMER_CONF_H

#include "bridge/config/function_config.h"
#include "bridge/intake/join_watch.h"

/** The subscription for a configured topic: its name, or for a glob a regular expression that begins with ^.
 */
char *consumer_conf_subscription(const char *topic);

/** How much librdkafka reads ahead for one partition. */
struct partition_limits {
    size_t records;
    size_t bytes;
};

/** The value of a numeric property of a client. */
int64_t consumer_conf_number(rd_kafka_t *rk, const char *property);

/** A group, and what its members read. */
struct consumer_group {
    const char *group;
    const struct text_list *topics;  // names or globs
};

/** Creates the client that is a member of the group, which `join` watches, and subscribes. FAULT_CONFIG:
 * librdkafka refuses a property or a topic. */
bool consumer_conf_open(const struct settings *settings, const struct consumer_group *member,
                        struct join_watch *join, rd_kafka_t **ret, struct fault *f) MUST_USE;

/** Creates a client without a group, for reading at given offsets. An offset out of range means the earliest;
 * the end of a partition is reported (RD_KAFKA_RESP_ERR__PARTITION_EOF). */
bool consumer_conf_open_reader(const struct settings *settings, const struct partition_limits *limits,
                               rd_kafka_t **ret, struct fault *f) MUST_USE;

/** The same, but at an offset out of range it reports RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET and stops. Its log
 * is given to `reader`, of a leader_watch. */
bool consumer_conf_open_fetcher(const struct settings *settings, const struct partition_limits *limits,
                                struct kafka_log_reader *reader, rd_kafka_t **ret, struct fault *f) MUST_USE;

/**
 * Makes the client fetch at once after a full queue was read. Before librdkafka 2.2 its broker thread checks
 * such queues only once a second, unless it has a request to send. The cheapest request is ListOffsets with a
 * timeout of 0; librdkafka drops the response of a request that has timed out.
 */
void consumer_conf_wake(rd_kafka_t *rk, const char *topic, int32_t number);

#endif
