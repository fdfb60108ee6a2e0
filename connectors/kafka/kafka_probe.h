// Whether Kafka answers: asked every few seconds, since a producer that has nothing to send notices nothing,
// and one that has waits in silence.
#ifndef CONNECTORS_KAFKA_KAFKA_PROBE_H
#define CONNECTORS_KAFKA_KAFKA_PROBE_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

struct kafka_probe;

/** Kafka stopped answering (`why`), or answers again (NULL). On the loop, on each change. */
typedef void (*kafka_probe_on_change)(void *self, const char *why);

/** `rk` is lent until on_stopped. */
struct kafka_probe *kafka_probe_start(uv_loop_t *loop, rd_kafka_t *rk, kafka_probe_on_change on_change,
                                      void *self);

/** librdkafka has lost all brokers: no need to ask. */
void kafka_probe_suspect(struct kafka_probe *p, const char *why);

/** An acknowledgement came: no need to ask. */
void kafka_probe_answered(struct kafka_probe *p);

/** on_stopped comes once no call is out any more, maybe at once; nothing else comes then. */
void kafka_probe_stop(struct kafka_probe *p, void (*on_stopped)(void *self), void *self);

#endif
