// The connector's insides, shared by the flow (pipeline.c) and the life around it (pipeline_life.c).
#ifndef CONNECTORS_PIPELINE_PRIVATE_H
#define CONNECTORS_PIPELINE_PRIVATE_H

#include "connectors/kafka/kafka_sink.h"
#include "connectors/kafka/topic_route.h"
#include "connectors/pipeline.h"
#include "connectors/pipeline_metrics.h"
#include "connectors/source.h"
#include "core/base/backoff.h"
#include "core/base/watermark.h"
#include "core/kafka/state_topic.h"

#define PIPELINE_STATES(X)                                                                                   \
    X(STARTING, "starting")                                                                                  \
    X(CONNECTING, "connecting")                                                                              \
    X(WAITING_FOR_SLOT, "waiting_for_slot")                                                                  \
    X(SNAPSHOTTING, "snapshotting")                                                                          \
    X(STREAMING, "streaming")                                                                                \
    X(BACKING_OFF, "backing_off")                                                                            \
    X(DRAINING, "draining")                                                                                  \
    X(STOPPED, "stopped")                                                                                    \
    X(FAILED, "failed")

enum pipeline_state {
#define X(name, text) PIPELINE_##name,
    PIPELINE_STATES(X)
#undef X
};

enum {
    PIPELINE_TRANSACTIONS_MAX = 16384,  // open at once: read, not yet wholly acknowledged
    PIPELINE_BUDGET = 1024,             // changes per turn of the loop
    PIPELINE_POSITION_SIZE = 16 + 1 + 8,
};

struct pipeline {
    struct pipeline_params params;
    char *component;  // connector/shop
    enum pipeline_state state;
    char detail[256];

    const struct source_type *source_type;
    struct source *source;
    struct kafka_sink *sink;
    struct topic_routes *routes;
    struct state_topic *state_topic;
    struct pipeline_metrics metrics;
    struct text_pairs dead_letter_config;  // of the topic for bad rows

    struct source_state pending;  // what the source wants remembered
    bool has_pending;             // written once all that was read before it is acknowledged
    size_t state_writes;          // on their way; until they settle nothing is opened again
    size_t state_reads;           // on their way; only the newest has an answer that counts

    struct watermark watermark;
    int64_t *commit_times_us;  // by ticket, modulo PIPELINE_TRANSACTIONS_MAX
    uint64_t ticket;           // of the transaction being read
    uint64_t confirmed;
    bool is_in_transaction;

    struct change change;  // read and not yet taken
    bool has_change;
    bool is_value_published;  // of `change`: only its tombstone is missing
    bool is_source_open;
    bool is_paused;
    bool is_pumping;
    struct bytes key;
    struct bytes value;
    char position[PIPELINE_POSITION_SIZE];

    struct backoff backoff;
    uv_timer_t retry;
    uv_timer_t tick;
    uv_timer_t drain_limit;
    uv_idle_t again;
    int handles_open;
    bool is_reopen_due;  // the wait is over; the acknowledgements are still missing
    bool is_ended;
    bool is_freed;
};

enum pipeline_take {
    PIPELINE_TAKEN,
    PIPELINE_LATER,  // a topic, a schema id or room is missing: pipeline_pump is called again when it is
                     // there
    PIPELINE_FAULT,
};

/** Encodes p->change, a row, and hands it to Kafka; may be called again for the same row after
 * PIPELINE_LATER. */
enum pipeline_take pipeline_publish(struct pipeline *p, struct fault *f) MUST_USE;

/** Reads, encodes and publishes until nothing is left, something is full, or the turn's budget is spent. */
void pipeline_pump(struct pipeline *p);

/** Tells the source what is safe on Kafka by now. */
void pipeline_confirm(struct pipeline *p);

void pipeline_on_settled(void *self, uint64_t ticket, uint32_t count);
void pipeline_on_batch(void *self);
void pipeline_on_room(void *self);

void pipeline_enter(struct pipeline *p, enum pipeline_state to, const char *why);

/** A fault of the source (`peer` "postgres") or of the sink ("kafka"): retried with backoff, or the end. */
void pipeline_lost(struct pipeline *p, const char *peer, const struct fault *f);

/** Ends the connector with the fault. */
void pipeline_fail(struct pipeline *p, const struct fault *f);

/** The source's on_recall and on_state: the state record is read and written (pipeline_record.c). */
void pipeline_record_on_recall(void *self);
void pipeline_record_on_state(void *self, const struct source_state *state);

/** Writes the pending state record if everything before it is acknowledged. */
void pipeline_record_save(struct pipeline *p);

/** Goes on with reopening or draining once nothing is on its way to Kafka any more. */
void pipeline_when_settled(struct pipeline *p);

#endif
