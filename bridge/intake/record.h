// One Kafka record: a copy of its bytes, and what was parsed of them. Shared and not changed once it is
// resolved.
#ifndef BRIDGE_INTAKE_RECORD_H
#define BRIDGE_INTAKE_RECORD_H

#include <librdkafka/rdkafka.h>

#include "bridge/intake/schema_cache.h"
#include "core/base/bytes.h"
#include "schemas/json/event_view.h"

/** The record header that carries the event id (`millrace.position`). */
#define EVENT_ID_HEADER "millrace.position"

/** And the one of a dead letter, for events of other producers. */
#define EVENT_ID_OF_LETTER_HEADER "millrace.dlq.event_id"

struct record {
    uint32_t reference_count;
    int32_t partition;
    size_t size;        // of the record's allocation
    const char *topic;  // in it
    int64_t offset;
    char *origin_topic;     // of an event that is read from its dead letter; NULL: `topic`
    int64_t origin_offset;  // with origin_topic; -1: origin_partition and it are not known
    int32_t origin_partition;
    int64_t timestamp_ms;                // Kafka's; -1 for none
    int64_t arrived_us;                  // when it was read
    int64_t commit_time_us;              // of the change; 0: not decoded, or not known
    rd_kafka_headers_t *headers;         // owned; NULL for none
    size_t headers_bytes;                // what these take, about
    const struct avro_type *key_type;    // NULL: the key is absent or not Avro
    const struct avro_type *value_type;  // NULL: a tombstone, JSON, or reject_reason is set
    const char *reject_reason;           // dead-letter reason found before decoding; static; NULL: none
    char *reject_message;
    bool has_key;
    bool is_append_time;  // timestamp_ms is when the broker wrote it, not when it was made
    bool is_json;         // the value is JSON, of another producer
    bool is_cloud_event;  // and its headers have a CloudEvent's attributes, as in Kafka's binary mode
    struct slice id;      // equal on every delivery; id, key and value are in the record's allocation
    struct slice key;     // as on Kafka
    struct slice value;   // as on Kafka; size 0: a tombstone
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

/** Where a record is. The topic is lent. */
struct record_place {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/** Where the event was written to, which is where functions look for it: a dead letter's origin. */
static inline struct record_place record_place(const struct record *r)
{
    if (r->origin_topic == NULL || r->origin_offset < 0) {
        return (struct record_place){r->topic, r->partition, r->offset};
    }
    return (struct record_place){r->origin_topic, r->origin_partition, r->origin_offset};
}

/** Whether the record has no value. */
static inline bool record_is_tombstone(const struct record *r)
{
    return r->value.data == NULL;
}

/** Whether the record is an event. A tombstone is none: it is settled without a call, unless it is the dead
 * letter of an event whose value was left out. */
static inline bool record_is_event(const struct record *r)
{
    return !record_is_tombstone(r) || r->reject_reason != NULL;
}

/** What the record takes of the memory for events. */
static inline size_t record_bytes(const struct record *r)
{
    return sizeof(*r) + r->key.size + r->value.size + r->headers_bytes;
}

/** The value of the record's last header of that name, lent; data NULL: there is none, or it is null. */
struct slice record_header(const struct record *r, const char *name);

/** Whether a media type is JSON: application/json, or any that ends in +json. */
bool record_is_json_type(struct slice content_type);

/** The record can't be delivered. `reason` is static. */
void record_reject(struct record *r, const char *reason, const char *message);

/**
 * Finds the schemas whose ids are in key and value. A value that is not in the wire format is taken as it is
 * if the record's header `content-type` says that it is JSON, and it is.
 *
 * @return  false: a schema is being looked up; call again after on_resolved. True: the types are set, or
 *          reject_reason is: `undecodable` (the value is not in the wire format) or `unknown_schema`
 */
bool record_resolve(struct record *r, struct schema_cache *schemas) MUST_USE;

/**
 * Finds the key's schema alone, as for a dead letter without its value, or with one that can't be read.
 *
 * @return  false: it is being looked up; call again after on_resolved
 */
bool record_resolve_key(struct record *r, struct schema_cache *schemas) MUST_USE;

/** Appends a resolved record's key as JSON: one that is not Avro as a string, nothing without a key. */
void record_decode_key(const struct record *r, const struct json_options *options, struct bytes *out);

/**
 * The parts of a resolved record, lent; its key included.
 *
 * @param f  FAULT_REJECT: the value's bytes do not match their schema
 */
bool record_view(struct record *r, struct event_view *ret, struct fault *f) MUST_USE;

#endif
