// One Kafka record on its way to a function: its own copy of the bytes, who it is, and where it stands.
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
    struct event *next;           // in its lane, its invocation or a list of its holder
    struct partition *partition;  // counted in partition->event_count
    struct lane *lane;            // NULL outside the lanes
    uint64_t ticket;              // of the partition's progress
    int64_t offset;
    int64_t timestamp_ms;                // Kafka's; -1 for none
    int64_t arrived_us;                  // when it was read
    int64_t commit_time_us;              // of the change, once decoded; 0: not known
    rd_kafka_headers_t *headers;         // owned; NULL for none
    const struct avro_type *key_type;    // NULL: the key is absent or not Avro
    const struct avro_type *value_type;  // NULL: a tombstone or a record with a fault
    const char *reject_reason;           // dead-letter reason known before decoding; static; NULL
    char *reject_message;
    bool has_key;
    struct slice id;     // of the event, equal on every delivery; in the event's own memory, as the next two
    struct slice key;    // as on Kafka
    struct slice value;  // as on Kafka; size 0: a tombstone
};

/** Copies the record; takes over its headers. The message itself stays the caller's. */
struct event *event_new(struct partition *p, rd_kafka_message_t *message, int64_t seen_us);

/** Accepts NULL. The partition's count is the caller's business. */
void event_free(struct event *e);

/** Whether this is a delete's tombstone, which is settled without a call. */
static inline bool event_is_tombstone(const struct event *e)
{
    return e->value.data == NULL;
}

/**
 * Finds the schemas that its bytes name.
 *
 * @return  false: one of them is being asked for, try again on news. On true the event has its types, or for
 *          the value's sake a reject_reason: `undecodable` (no wire format) or `unknown_schema`
 */
bool event_resolve(struct event *e, struct schema_cache *schemas) MUST_USE;

/** One event as JSON: `value` lies in the buffer it was appended to, `key` in the key buffer. */
struct event_json {
    struct json_event value;
    struct slice text;  // the buffer's content from its beginning, for the spans; borrowed until it grows
    struct slice key;   // the key as JSON, what is no Avro as a string; size 0: absent
};

/**
 * Decodes a resolved event.
 *
 * @param f  FAULT_REJECT: the value's bytes are not what their schema says
 */
bool event_decode(struct event *e, const struct json_options *options, struct bytes *out, struct bytes *key,
                  struct event_json *ret, struct fault *f) MUST_USE;

#endif
