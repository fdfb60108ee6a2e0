// A compacted topic with one partition that millrace owns: created, checked and repaired before use, and read
// in rounds, each up to the topic's end.
#ifndef CORE_KAFKA_COMPACTED_TOPIC_H
#define CORE_KAFKA_COMPACTED_TOPIC_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "core/base/fault.h"
#include "core/config/settings.h"

struct compacted_topic;

enum { COMPACTED_TOPIC_PARTITION = 0 };

/** Called on the loop, never from inside compacted_topic_ask or _prepare; must not close the topic. */
struct compacted_topic_listener {
    void (*on_record)(void *self, const rd_kafka_message_t *message);
    /** A record that on_record was called with before (compacted_topic_ask_again). May be NULL. */
    void (*on_record_again)(void *self, const rd_kafka_message_t *message);
    /** Everything written before compacted_topic_ask returned a number up to `round` has been read. */
    void (*on_round)(void *self, uint64_t round);
    /** The topic exists and its records do not expire: it may be written to. */
    void (*on_ready)(void *self);
    /** The operator must change something (FAULT_CONFIG). Outstanding requests are dropped; the next
     * compacted_topic_ask or _prepare tries again. */
    void (*on_refused)(void *self, const struct fault *f);
    void *self;
};

/**
 * @param name       static
 * @param component  component of the log lines and prefix of their events; static
 * @param settings   lent
 */
struct compacted_topic_params {
    uv_loop_t *loop;
    const struct settings *settings;
    const char *name;
    const char *component;
    struct compacted_topic_listener listener;
};

/** Does no I/O yet. FAULT_CONFIG for bad Kafka properties. */
bool compacted_topic_open(const struct compacted_topic_params *params, struct compacted_topic **ret,
                          struct fault *f) MUST_USE;

/** Requests a round that begins after this call; returns its number. While Kafka is unreachable it retries,
 * and logs that once. */
uint64_t compacted_topic_ask(struct compacted_topic *t);

/** As compacted_topic_ask; the round begins at the topic's first record. */
uint64_t compacted_topic_ask_again(struct compacted_topic *t);

/** True when the topic may be written to. False: it is being created or checked; on_ready or on_refused
 * follows. */
bool compacted_topic_prepare(struct compacted_topic *t);

/** Why it waits for Kafka; NULL: it does not. Lent until the next turn of the loop. */
const char *compacted_topic_outage(const struct compacted_topic *t);

/** Accepts NULL. */
void compacted_topic_close(struct compacted_topic *t);

#endif
