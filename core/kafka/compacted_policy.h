// Makes a compacted topic of our own, and repairs one whose records would expire.
#ifndef CORE_KAFKA_COMPACTED_POLICY_H
#define CORE_KAFKA_COMPACTED_POLICY_H

#include "core/kafka/kafka_client.h"

struct compacted_policy;

/**
 * Makes the topic with `cleanup.policy=compact` and one partition unless it exists. When it exists with
 * another policy, the policy is changed and the topic's other settings are kept. A broker that does not let
 * us look at the settings is believed.
 *
 * @param rk         lent, a client of any kind
 * @param bootstrap  for the command that the operator is told; lent
 * @param on_done    on the loop, once, unless stopped before: NULL, FAULT_RETRY, or FAULT_CONFIG that says
 * what to type. It may stop this.
 */
struct compacted_policy *compacted_policy_start(uv_loop_t *loop, rd_kafka_t *rk, const char *topic,
                                                const char *bootstrap, kafka_on_done on_done, void *self);

/** Accepts NULL. */
void compacted_policy_stop(struct compacted_policy *p);

#endif
