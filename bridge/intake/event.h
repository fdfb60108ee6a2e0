// One Kafka record on its way to a function: a copy of its bytes, its id, its place in the queues.
#ifndef BRIDGE_INTAKE_EVENT_H
#define BRIDGE_INTAKE_EVENT_H

#include <librdkafka/rdkafka.h>

#include "bridge/intake/schema_cache.h"
#include "core/base/bytes.h"
#include "schemas/json/json_encode.h"

struct partition;
struct lane;

/** The record header that carries the event id (`millrace.position`). */
#define EVENT_ID_HEADER "millrace.position"

struct event {
    struct event *next;           // in its lane, its invocation, or a list of released events
    struct partition *partition;  // counted in partition->event_count
    struct lane *lane;            // NULL outside the lanes
    uint64_t ticket;              // of the partition's progress
    int64_t offset;
    int64_t timestamp_ms;                // Kafka's; -1 for none
    int64_t arrived_us;                  // when it was read
    int64_t commit_time_us;              // of the change; 0: not decoded, or not known
    rd_kafka_headers_t *headers;         // owned; NULL for none
    const struct avro_type *key_type;    // NULL: the key is absent or not Avro
    const struct avro_type *value_type;  // NULL: a tombstone, or reject_reason is set
    const char *reject_reason;           // dead-letter reason found before decoding; static; NULL: none
    char *reject_message;
    bool has_key;
    struct slice id;     // equal on every delivery; id, key and value are in the event's allocation
    struct slice key;    // as on Kafka
    struct slice value;  // as on Kafka; size 0: a tombstone
};

/** Copies the record and takes over its headers; the caller keeps the message. `seen_us` becomes arrived_us.
 */
struct event *event_new(struct partition *p, rd_kafka_message_t *message, int64_t seen_us);

/** Accepts NULL. Does not change partition->event_count. */
void event_free(struct event *e);

/** Whether the record has no value (a tombstone): it is settled without a call. */
static inline bool event_is_tombstone(const struct event *e)
{
    return e->value.data == NULL;
}

/**
 * Finds the schemas whose ids are in key and value.
 *
 * @return  false: a schema is being looked up; call again after on_resolved. True: the types are set, or
 *          reject_reason is: `undecodable` (the value is not in the wire format) or `unknown_schema`
 */
bool event_resolve(struct event *e, struct schema_cache *schemas) MUST_USE;

/** What a function's payload needs of an event. */
enum event_scope {
    EVENT_WHOLE,
    EVENT_ROW,  // the row and its table's names: json_encode_row; no key
};

/** One event as JSON. `text` is in the output buffer, `key` in the key buffer. */
struct event_json {
    struct json_event value;
    struct slice
        text;          // the whole output buffer: spans of `value` are offsets in it; borrowed until it grows
    struct slice key;  // as JSON; a key that is not Avro is a JSON string; size 0: absent, or EVENT_ROW
};

/** The buffers that event_decode writes: both are reset first. */
struct event_buffers {
    struct bytes *value;
    struct bytes *key;
};

/**
 * Decodes a resolved event.
 *
 * @param f  FAULT_REJECT: the value's bytes do not match their schema
 */
bool event_decode(struct event *e, enum event_scope scope, const struct json_options *options,
                  const struct event_buffers *out, struct event_json *ret, struct fault *f) MUST_USE;

#endif
