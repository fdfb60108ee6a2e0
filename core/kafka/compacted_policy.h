// Creates a compacted topic, or repairs the cleanup policy of an existing one whose records would expire.
#ifndef CORE_KAFKA_COMPACTED_POLICY_H
#define CORE_KAFKA_COMPACTED_POLICY_H

#include "core/kafka/kafka_client.h"

struct compacted_policy;

/**
 * Creates the topic with `cleanup.policy=compact` and one partition unless it exists. If an existing topic
 * has another policy, changes the policy and keeps the topic's other settings. If the broker does not allow
 * DescribeConfigs, assumes that the policy is right and logs that.
 *
 * @param rk         lent, a client of any kind
 * @param bootstrap  for the command that the fault tells the operator to run; lent
 * @param on_done    called on the loop, once, unless stopped before, with NULL, FAULT_RETRY, or FAULT_CONFIG
 *                   that names the command. It may call compacted_policy_stop.
 */
struct compacted_policy *compacted_policy_start(uv_loop_t *loop, rd_kafka_t *rk, const char *topic,
                                                const char *bootstrap, kafka_on_done on_done, void *self);

/** Accepts NULL. */
void compacted_policy_stop(struct compacted_policy *p);

#endif
