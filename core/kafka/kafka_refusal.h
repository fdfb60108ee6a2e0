// Why the broker refuses records. librdkafka repeats a refused batch by itself for as long as it takes (too
// few in-sync replicas, no leader …) and reports none of it, except in a line of its debug log. So that line
// is read.
#ifndef CORE_KAFKA_KAFKA_REFUSAL_H
#define CORE_KAFKA_KAFKA_REFUSAL_H

#include "core/kafka/kafka_client.h"

/** The newest refusal of one handle. All functions may be called on any thread. */
struct kafka_refusal;

struct kafka_refusal *kafka_refusal_new(void);

/** To be given to kafka_client_read_log with KAFKA_REFUSAL_DEBUG. */
struct kafka_log_reader *kafka_refusal_reader(struct kafka_refusal *r);
#define KAFKA_REFUSAL_DEBUG "msg"  // lines about batches: what was sent, delivered or refused

/**
 * Reads a line of librdkafka's log; lines that tell of no refusal are ignored.
 *
 * @param text  of facility MSGSET, without its thread: "BROKER: TOPIC [PARTITION]: MessageSet with N
 *              message(s) (…) encountered error: Broker: Not enough in-sync replicas (actions …)"
 */
void kafka_refusal_note(struct kafka_refusal *r, const char *facility, const char *text);

/** Writes "topic T, partition P: Broker: Not enough in-sync replicas (NOT_ENOUGH_REPLICAS)". False, and
 * nothing is written: there was none in the last few seconds. */
bool kafka_refusal_get(struct kafka_refusal *r, char *ret_text, size_t size);

/** Accepts NULL. */
void kafka_refusal_free(struct kafka_refusal *r);

#endif
