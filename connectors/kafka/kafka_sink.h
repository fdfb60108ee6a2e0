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
    void (*on_settled)(void *self, uint64_t ticket,
                       uint32_t count);  // all brokers have `count` records of it
    void (*on_room)(void *self);  // after a batch of acknowledgements, when SINK_FULL was said since the last
    void (*on_batch)(void *self);                         // after each drained batch of acknowledgements
    void (*on_fault)(void *self, const struct fault *f);  // a record was not delivered: nothing more settles
    void *self;
};

struct kafka_sink_record {
    struct kafka_sink_topic *topic;
    struct slice key;                   // data NULL: null key
    struct slice value;                 // data NULL: tombstone
    struct slice position;              // header millrace.position
    const rd_kafka_headers_t *headers;  // more headers, copied; NULL for none
    uint64_t ticket;
};

bool kafka_sink_open(uv_loop_t *loop, const struct settings *settings,
                     const struct kafka_sink_listener *listener, struct kafka_sink **ret,
                     struct fault *f) MUST_USE;

/** The topic's handle, made once and kept until the sink is closed; borrowed. */
struct kafka_sink_topic *kafka_sink_topic(struct kafka_sink *s, const char *name);

/** Takes a copy of the record. A topic's records reach Kafka in the order in which they were taken. */
enum sink_step kafka_sink_publish(struct kafka_sink *s, const struct kafka_sink_record *record,
                                  struct fault *f);

/** After the last record of a turn: what should not wait for more goes on to Kafka. TAKEN, FULL (no fault,
 * on_room follows) or FAULT. */
enum sink_step kafka_sink_flush(struct kafka_sink *s, struct fault *f);

/** Records taken and not yet settled. */
size_t kafka_sink_in_flight(const struct kafka_sink *s);
size_t kafka_sink_message_max_bytes(const struct kafka_sink *s);

/** The producer, for topic administration; borrowed. */
rd_kafka_t *kafka_sink_handle(struct kafka_sink *s);

/** Gives up what is in flight and frees, on a thread of its own: the loop does not wait. Accepts NULL. */
void kafka_sink_close(struct kafka_sink *s);

#endif
