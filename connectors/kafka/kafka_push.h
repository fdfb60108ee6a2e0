// Makes librdkafka send what it has at once, without waiting for linger.ms.
//
// linger.ms is one number for the whole life of a producer. Under load a few milliseconds of it make large
// batches and let librdkafka's thread sleep; on an idle connector they would only delay each record. While
// rd_kafka_flush() runs, librdkafka counts linger.ms as zero (its documentation says so), so a worker thread
// calls it for a moment after records were handed over to an idle producer.
#ifndef CONNECTORS_KAFKA_KAFKA_PUSH_H
#define CONNECTORS_KAFKA_KAFKA_PUSH_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

struct kafka_push;

/** `rk` is lent until on_stopped. */
struct kafka_push *kafka_push_start(uv_loop_t *loop, rd_kafka_t *rk);

/** Records were handed over that should not wait. When no worker thread is free they wait for linger.ms at
 * most. */
void kafka_push_now(struct kafka_push *p);

/** on_stopped comes once no call runs any more, maybe at once; `p` is gone then. */
void kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self);

#endif
