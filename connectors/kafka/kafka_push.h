// Makes librdkafka send what it has at once, without waiting for linger.ms.
//
// linger.ms is one number for the whole life of a producer. While it lasts, librdkafka's thread sleeps, so
// that a round of records is handed over before the first of them is sent. While rd_kafka_flush() runs,
// librdkafka counts linger.ms as zero (its documentation says so): a worker thread calls it for a moment when
// the round is complete.
#ifndef CONNECTORS_KAFKA_KAFKA_PUSH_H
#define CONNECTORS_KAFKA_KAFKA_PUSH_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <uv.h>

// Long enough for librdkafka's thread to wake; the call ends before when all is acknowledged.
enum { KAFKA_PUSH_MS = 5 };

struct kafka_push;

/** `rk` is lent until on_stopped. on_done: all that was asked for is done. */
struct kafka_push *kafka_push_start(uv_loop_t *loop, rd_kafka_t *rk, void (*on_done)(void *self), void *self);

/** Whether what is handed over now is sent record by record. */
bool kafka_push_is_running(const struct kafka_push *p);

/** Records were handed over that should not wait. When no worker thread is free they wait for linger.ms at
 * most. */
void kafka_push_now(struct kafka_push *p);

/** on_stopped comes once no call runs any more, maybe at once; `p` is gone then. */
void kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self);

#endif
