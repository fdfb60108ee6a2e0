// Shared by all users of librdkafka: configuration with our defaults, queues that wake the loop, topics
// created on demand.
#ifndef CORE_KAFKA_KAFKA_CLIENT_H
#define CORE_KAFKA_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "core/base/fault.h"
#include "core/config/settings.h"

enum kafka_role { KAFKA_PRODUCER, KAFKA_CONSUMER, KAFKA_TRANSACTIONAL_PRODUCER };

/** FAULT_CONFIG for a property that must not be set because the delivery guarantees depend on it (acks,
 * idempotence …). */
bool kafka_client_check(const struct text_pairs *kafka, struct fault *f) MUST_USE;

/**
 * Configuration of one handle: our defaults for the role, then the user's properties (librdkafka ignores
 * those of the other role), then the properties that the delivery guarantees depend on. librdkafka's threads
 * write its log lines through core/base/log, the same message at most once in ten minutes. A producer's queue
 * has room for two records of the largest size. A handle's opaque is NULL or its kafka_refusal.
 *
 * @param extra  NULL-ended key, value, key, value …; wins over everything; may be NULL
 */
bool kafka_client_conf(const struct settings *settings, enum kafka_role role, const char *const *extra,
                       rd_kafka_conf_t **ret, struct fault *f) MUST_USE;

/** Reads what a client logs for debugging. Plain data; outlives the client. */
struct kafka_log_reader {
    /** Called by librdkafka's threads with each line of level debug, without the thread's name. */
    void (*on_line)(void *self, const char *facility, const char *text);
    void *self;
    int level;  // of the lines that the user asked for: only they are written; set by kafka_client_read_log
};

/** Gives the client's lines of a debug context to `reader`, which becomes the client's opaque. */
void kafka_client_read_log(rd_kafka_conf_t *conf, const char *debug_context, struct kafka_log_reader *reader);

/** message.max.bytes of the configuration. */
size_t kafka_client_message_max_bytes(const rd_kafka_conf_t *conf);

/** Makes the handle; takes over `conf`, on failure too. */
bool kafka_client_open(rd_kafka_conf_t *conf, enum kafka_role role, rd_kafka_t **ret,
                       struct fault *f) MUST_USE;

/** Calls on_ready on the loop when the queue becomes non-empty. on_ready must drain the queue, or call
 * kafka_watch_again. */
struct kafka_watch;
typedef void (*kafka_on_ready)(void *self);
struct kafka_watch *kafka_watch_start(uv_loop_t *loop, rd_kafka_queue_t *queue, kafka_on_ready on_ready,
                                      void *self);

/** Schedules one more on_ready for the next turn of the loop. */
void kafka_watch_again(struct kafka_watch *w);

/** To be called before the queue is destroyed. Accepts NULL. */
void kafka_watch_stop(struct kafka_watch *w);

struct kafka_topic_spec {
    const char *name;
    int partitions;                   // 0: the broker's default
    int replication;                  // 0: the broker's default
    const struct text_pairs *config;  // NULL for none
};

/**
 * Creates topics. kafka_admin_ensure_topic creates the topic unless it exists; it calls on_done on the loop,
 * exactly once unless kafka_admin_stop is called before, with NULL or a fault (RETRY or CONFIG). A broker
 * without CreateTopics (the embedded one) gets a metadata request, which creates the topic there.
 */
struct kafka_admin;
typedef void (*kafka_on_done)(void *self, const struct fault *f);
struct kafka_admin *kafka_admin_start(uv_loop_t *loop, rd_kafka_t *rk);
void kafka_admin_ensure_topic(struct kafka_admin *a, const struct kafka_topic_spec *spec,
                              kafka_on_done on_done, void *self);
void kafka_admin_stop(struct kafka_admin *a);

/** Whether the broker is the embedded one, which has no admin requests. Valid after the first on_done. */
bool kafka_admin_is_embedded(const struct kafka_admin *a);

#endif
