// Records into Kafka and their acknowledgements back: one idempotent producer, every outcome reported once.
#ifndef CONNECTORS_KAFKA_KAFKA_SINK_H
#define CONNECTORS_KAFKA_KAFKA_SINK_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/config/settings.h"
#include "core/kafka/kafka_client.h"

struct kafka_sink;
struct kafka_sink_topic;

enum sink_step {
    SINK_TAKEN,      // on_settled follows exactly once, or on_fault for the whole sink
    SINK_FULL,       // not taken: on_room follows
    SINK_TOO_LARGE,  // not taken, and never will be: over message.max.bytes
    SINK_FAULT,
};

/** Called on the loop. `ticket` is what the record was published with. */
struct kafka_sink_listener {
    // All in-sync replicas have `count` records of it.
    void (*on_settled)(void *self, uint64_t ticket, uint32_t count);
    // After a batch of acknowledgements, when SINK_FULL was said since the last.
    void (*on_room)(void *self);
    // After each drained batch of acknowledgements.
    void (*on_batch)(void *self);
    // A record was not delivered: nothing more settles.
    void (*on_fault)(void *self, const struct fault *f);
    // Kafka stopped answering (`why`) or answers again (NULL). Records wait meanwhile, none is lost.
    void (*on_reachable)(void *self, const char *why);
    // After kafka_sink_close: nothing of this sink reaches Kafka any more. The last call. NULL: not wanted.
    void (*on_closed)(void *self);
    void *self;
};

struct kafka_sink_record {
    struct kafka_sink_topic *topic;
    struct slice key;                   // data NULL: null key
    struct slice value;                 // data NULL: tombstone
    struct slice position;              // header millrace.position; data NULL: none
    const rd_kafka_headers_t *headers;  // more headers, copied; NULL for none
    uint64_t ticket;
};

bool kafka_sink_open(uv_loop_t *loop, const struct settings *settings,
                     const struct kafka_sink_listener *listener, struct kafka_sink **ret,
                     struct fault *f) MUST_USE;

/**
 * The topic's handle, made once and kept until the sink is closed; borrowed. The topic must exist: librdkafka
 * asks for its metadata, and a broker may make it with defaults then.
 *
 * @param partition  RD_KAFKA_PARTITION_UA: by the key
 */
struct kafka_sink_topic *kafka_sink_topic(struct kafka_sink *s, const char *name, int32_t partition);

/** Takes a copy of the record. A topic's records reach Kafka in the order in which they were taken. */
enum sink_step kafka_sink_publish(struct kafka_sink *s, const struct kafka_sink_record *record,
                                  struct fault *f);

/** After the last record of a turn: what should not wait for more goes on to Kafka. TAKEN, FULL (no fault,
 * on_room follows) or FAULT. */
enum sink_step kafka_sink_flush(struct kafka_sink *s, struct fault *f);

/** Records taken and not yet settled. */
size_t kafka_sink_in_flight(const struct kafka_sink *s);

/** A record of which Kafka's count is over this is SINK_TOO_LARGE. */
size_t kafka_sink_message_max_bytes(const struct kafka_sink *s);

/** What the record counts against message.max.bytes: key, value, headers, and what Kafka adds to them. */
size_t kafka_sink_record_bytes(const struct kafka_sink_record *record);

/** Makes topics, with this sink's producer; borrowed until kafka_sink_close. */
struct kafka_admin *kafka_sink_admin(struct kafka_sink *s);

/**
 * Drops what was not yet sent, waits shortly for the answers to what was, and frees. The loop does not wait:
 * on_closed says when a new sink's records can't be overtaken by this one's. Accepts NULL.
 */
void kafka_sink_close(struct kafka_sink *s);

#endif
