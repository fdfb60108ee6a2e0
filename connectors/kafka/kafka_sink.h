// Sends records to Kafka with one idempotent producer and reports each record's outcome once.
#ifndef CONNECTORS_KAFKA_KAFKA_SINK_H
#define CONNECTORS_KAFKA_KAFKA_SINK_H

#include <uv.h>

#include "connectors/kafka/kafka_probe.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/config/settings.h"
#include "core/kafka/kafka_client.h"
#include "core/trace/trace_context.h"

struct kafka_sink;
struct kafka_sink_topic;

enum sink_step {
    SINK_TAKEN,      // on_settled follows exactly once, or on_fault for the whole sink
    SINK_FULL,       // not taken: on_room follows
    SINK_TOO_LARGE,  // never taken: over message.max.bytes
    SINK_FAULT,
};

/** Called on the loop. `ticket` is that of the record. */
struct kafka_sink_listener {
    // All in-sync replicas have `count` records with this ticket.
    void (*on_settled)(void *self, uint64_t ticket, uint32_t count);
    // After a batch of acknowledgements, if SINK_FULL was returned before; when the number of a topic's
    // partitions gets known.
    void (*on_room)(void *self);
    // After each batch of acknowledgements.
    void (*on_batch)(void *self);
    // A record was not delivered: on_settled is not called any more.
    void (*on_fault)(void *self, const struct fault *f);
    // The broker refused a record without key, because the topic is compacted; on_fault follows. False: that
    // was known, or it may have another reason, and the fault is not retriable.
    bool (*on_key_demanded)(void *self, const char *topic);
    // Kafka stopped answering (`why`) or answers again (NULL). Records wait meanwhile; none is lost.
    void (*on_reachable)(void *self, const char *why);
    // After kafka_sink_close: no record of this sink reaches Kafka any more. The last callback. May be NULL.
    void (*on_closed)(void *self);
    void *self;
};

struct kafka_sink_record {
    struct kafka_sink_topic *topic;
    struct slice key;            // data NULL: null key
    struct slice value;          // data NULL: tombstone
    struct slice position;       // header millrace.position; data NULL: none
    struct trace_headers trace;  // headers traceparent, tracestate
    struct slice headers;        // more headers, as record_headers.h has them; size 0: none
    int32_t partition;           // RD_KAFKA_PARTITION_UA: the key chooses
    int64_t timestamp_ms;        // 0: librdkafka's
    uint64_t ticket;
};

bool kafka_sink_open(uv_loop_t *loop, const struct settings *settings,
                     const struct kafka_sink_listener *listener, struct kafka_sink **ret,
                     struct fault *f) MUST_USE;

/**
 * The topic's handle; borrowed until the sink is closed. The topic must exist: librdkafka requests its
 * metadata, and a broker with auto.create.topics.enable would create it with defaults.
 */
struct kafka_sink_topic *kafka_sink_topic(struct kafka_sink *s, const char *name);

/** How many partitions the topic has; 0: that is not known yet, on_room follows when it is. */
int32_t kafka_sink_partitions(struct kafka_sink_topic *topic);

/** Calls on_count with the number of each topic's partitions when it is counted. */
void kafka_sink_on_count(struct kafka_sink *s, kafka_probe_on_topic on_count, void *self);

/** The producer's client; lent while the sink is open. */
rd_kafka_t *kafka_sink_client(const struct kafka_sink *s);

/** Forgets the number and asks for it again. */
void kafka_sink_count_anew(struct kafka_sink_topic *topic);

/** Copies the record. A topic's records reach Kafka in the order of these calls. */
enum sink_step kafka_sink_publish(struct kafka_sink *s, const struct kafka_sink_record *record,
                                  struct fault *f);

/** Call it after the last record of a loop iteration: hands records over to librdkafka if that is due.
 * Returns TAKEN, FULL (on_room follows) or FAULT. */
enum sink_step kafka_sink_flush(struct kafka_sink *s, struct fault *f);

/** Records taken and not yet settled. */
size_t kafka_sink_in_flight(const struct kafka_sink *s);

/** Starts, or with false stops, to read from librdkafka's log why records wait. */
void kafka_sink_explain(struct kafka_sink *s, bool is_wanted);

/** Writes what the broker said last about records that wait, "topic T, partition P: Broker: Not enough
 * in-sync replicas (NOT_ENOUGH_REPLICAS)". False, and nothing is written: nothing. */
bool kafka_sink_reason(const struct kafka_sink *s, char *ret_text, size_t size);

/** The producer's message.max.bytes: larger records (kafka_sink_record_bytes) are SINK_TOO_LARGE. */
size_t kafka_sink_message_max_bytes(const struct kafka_sink *s);

/** The record's size as message.max.bytes counts it: key, value, headers and overhead. */
size_t kafka_sink_record_bytes(const struct kafka_sink_record *record);

/** The admin client of this sink's producer; borrowed until kafka_sink_close. */
struct kafka_admin *kafka_sink_admin(struct kafka_sink *s);

/**
 * Drops records that were not sent, waits up to 2 s for the acknowledgements of the others, and frees the
 * sink. Does not block: after on_closed no record of this sink can overtake those of a new one. Accepts NULL.
 */
void kafka_sink_close(struct kafka_sink *s);

#endif
