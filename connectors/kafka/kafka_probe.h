// Checks every few seconds whether Kafka answers. librdkafka does not tell: an idle producer does not notice
// that Kafka is gone, and a busy one waits without an error.
#ifndef CONNECTORS_KAFKA_KAFKA_PROBE_H
#define CONNECTORS_KAFKA_KAFKA_PROBE_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

struct kafka_probe;

/** Kafka stopped answering (`why`), or answers again (NULL). Called on the loop, for each change. */
typedef void (*kafka_probe_on_change)(void *self, const char *why);

/** How many partitions a topic that records go to has. Called on the loop, with each answer. */
typedef void (*kafka_probe_on_topic)(void *self, const char *topic, int32_t partitions);

/** `rk` is lent until on_stopped. */
struct kafka_probe *kafka_probe_start(uv_loop_t *loop, rd_kafka_t *rk, kafka_probe_on_change on_change,
                                      kafka_probe_on_topic on_topic, void *self);

/** Asks now: somebody waits for on_topic. */
void kafka_probe_ask(struct kafka_probe *p);

/** librdkafka reports that all brokers are down. */
void kafka_probe_suspect(struct kafka_probe *p, const char *why);

/** An acknowledgement came: Kafka answers. */
void kafka_probe_answered(struct kafka_probe *p);

/** What the newest answer says of a topic that records go to: "topic T, partition P: Broker: Leader not
 * available"; NULL: nothing. Lent until the next turn of the loop. */
const char *kafka_probe_trouble(const struct kafka_probe *p);

/** Calls on_stopped once no request is in flight, and no other callback. */
void kafka_probe_stop(struct kafka_probe *p, void (*on_stopped)(void *self), void *self);

#endif
