// One Kafka record: a copy of its bytes, and what was parsed of them. Shared and not changed once it is
// resolved.
#ifndef BRIDGE_INTAKE_RECORD_H
#define BRIDGE_INTAKE_RECORD_H

#include <librdkafka/rdkafka.h>

#include "bridge/intake/schema_cache.h"
#include "core/base/bytes.h"
#include "schemas/json/json_encode.h"

/** The record header that carries the event id (`millrace.position`). */
#define EVENT_ID_HEADER "millrace.position"

/** And the one of a dead letter, for events of other producers. */
#define EVENT_ID_OF_LETTER_HEADER "millrace.dlq.event_id"

struct record {
    uint32_t reference_count;
    int32_t partition;
    const char *topic;  // in the record's allocation
    int64_t offset;
    char *origin_topic;                  // of an event that is read from its dead letter; NULL: `topic`
    int64_t timestamp_ms;                // Kafka's; -1 for none
    int64_t arrived_us;                  // when it was read
    int64_t commit_time_us;              // of the change; 0: not decoded, or not known
    rd_kafka_headers_t *headers;         // owned; NULL for none
    const struct avro_type *key_type;    // NULL: the key is absent or not Avro
    const struct avro_type *value_type;  // NULL: a tombstone, or reject_reason is set
    const char *reject_reason;           // dead-letter reason found before decoding; static; NULL: none
    char *reject_message;
    bool has_key;
    struct slice id;     // equal on every delivery; id, key and value are in the record's allocation
    struct slice key;    // as on Kafka
    struct slice value;  // as on Kafka; size 0: a tombstone
};

/**
 * Copies the message and takes over its headers; the caller keeps the message and gets the one reference.
 *
 * @param topic    copied
 * @param seen_us  becomes arrived_us
 */
struct record *record_new(const char *topic, rd_kafka_message_t *message, int64_t seen_us);

/** Adds a reference. */
static inline struct record *record_share(struct record *r)
{
    r->reference_count++;
    return r;
}

/** Drops one reference. Accepts NULL. */
void record_release(struct record *r);

/** The topic that the event was written to. */
static inline const char *record_origin(const struct record *r)
{
    return r->origin_topic != NULL ? r->origin_topic : r->topic;
}

/** Whether the record has no value (a tombstone): it is settled without a call. */
static inline bool record_is_tombstone(const struct record *r)
{
    return r->value.data == NULL;
}

/** What the record takes of the memory for events. */
static inline size_t record_bytes(const struct record *r)
{
    return sizeof(*r) + r->key.size + r->value.size;
}

/** The record can't be delivered. `reason` is static. */
void record_reject(struct record *r, const char *reason, const char *message);

/**
 * Finds the schemas whose ids are in key and value.
 *
 * @return  false: a schema is being looked up; call again after on_resolved. True: the types are set, or
 *          reject_reason is: `undecodable` (the value is not in the wire format) or `unknown_schema`
 */
bool record_resolve(struct record *r, struct schema_cache *schemas) MUST_USE;

/** Appends a resolved record's key as JSON: one that is not Avro as a string, nothing without a key. */
void record_decode_key(const struct record *r, const struct json_options *options, struct bytes *out);

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

/** The buffers that record_decode writes: both are reset first. */
struct event_buffers {
    struct bytes *value;
    struct bytes *key;
};

/**
 * Decodes a resolved record.
 *
 * @param f  FAULT_REJECT: the value's bytes do not match their schema
 */
bool record_decode(struct record *r, enum event_scope scope, const struct json_options *options,
                   const struct event_buffers *out, struct event_json *ret, struct fault *f) MUST_USE;

#endif
