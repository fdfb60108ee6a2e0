// What every user of librdkafka here shares: configuration with our defaults, queues that wake the loop,
// topics made on demand.
#ifndef CORE_KAFKA_KAFKA_CLIENT_H
#define CORE_KAFKA_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "core/base/fault.h"
#include "core/config/settings.h"

enum kafka_role { KAFKA_PRODUCER, KAFKA_CONSUMER, KAFKA_TRANSACTIONAL_PRODUCER };

/** An overriding key that breaks our promise (acks, idempotence …) is FAULT_CONFIG; used by `check` too. */
bool kafka_client_check(const struct text_pairs *kafka, struct fault *f) MUST_USE;

/**
 * Configuration for one handle: our defaults of that role, then the user's properties (librdkafka ignores
 * those of the other role), then what the promise rests on. Logs are written by core/base/log from
 * librdkafka's threads, each kind of complaint once in ten minutes. A producer's queue has room for two of
 * the largest records it may take.
 *
 * @param extra  NULL-ended key, value, key, value …; wins over everything; may be NULL
 */
bool kafka_client_conf(const struct settings *settings, enum kafka_role role, const char *const *extra,
                       rd_kafka_conf_t **ret, struct fault *f) MUST_USE;

/** The largest record that a handle of this configuration takes, in bytes. */
size_t kafka_client_message_max_bytes(const rd_kafka_conf_t *conf);

/** Makes the handle from kafka_client_conf's result, which it takes over in every case. */
bool kafka_client_open(rd_kafka_conf_t *conf, enum kafka_role role, rd_kafka_t **ret,
                       struct fault *f) MUST_USE;

/** Wakes the loop when the queue goes from empty to not empty: drain it until nothing is left each time. */
struct kafka_watch;
typedef void (*kafka_on_ready)(void *self);
struct kafka_watch *kafka_watch_start(uv_loop_t *loop, rd_kafka_queue_t *queue, kafka_on_ready on_ready,
                                      void *self);

/** Asks for one more on_ready on the next turn (for a drain that stopped at its budget). */
void kafka_watch_again(struct kafka_watch *w);

/** Stops the wake-ups; before the queue is destroyed. Accepts NULL. */
void kafka_watch_stop(struct kafka_watch *w);

struct kafka_topic_spec {
    const char *name;
    int partitions;                   // 0: the broker's default
    int replication;                  // 0: the broker's default
    const struct text_pairs *config;  // NULL for none
};

/**
 * Makes the topic unless it exists; on_done on the loop with NULL or a fault (RETRY or CONFIG), exactly once
 * unless the watch of `rk`'s admin queue is stopped before. A broker that knows no CreateTopics (the embedded
 * one) gets a metadata request, which makes the topic there.
 */
struct kafka_admin;
typedef void (*kafka_on_done)(void *self, const struct fault *f);
struct kafka_admin *kafka_admin_start(uv_loop_t *loop, rd_kafka_t *rk);
void kafka_admin_ensure_topic(struct kafka_admin *a, const struct kafka_topic_spec *spec,
                              kafka_on_done on_done, void *self);
void kafka_admin_stop(struct kafka_admin *a);

/** Whether the broker is the embedded one, which knows no admin requests. Known once a topic was ensured. */
bool kafka_admin_is_embedded(const struct kafka_admin *a);

#endif
