// One event where it lies: its operation, its table, and the places of its values. What a payload writes of
// an event, it writes from this view, straight into the body of the request.
#ifndef SCHEMAS_JSON_EVENT_VIEW_H
#define SCHEMAS_JSON_EVENT_VIEW_H

#include "schemas/json/json_encode.h"

enum event_value_kind {
    EVENT_VALUE_NULL,  // also: absent
    EVENT_VALUE_AVRO,  // exactly one datum of `type`, which is no union
    EVENT_VALUE_JSON,  // JSON text
    EVENT_VALUE_TEXT,  // any bytes, as a string
};

/** A value, not yet written. Borrowed. */
struct event_value {
    enum event_value_kind kind;
    const struct avro_type *type;
    struct slice bytes;
};

struct event_view {
    bool is_envelope;  // false: `after` is the whole record, op is 'c', and there is no source
    char op;           // c r u d t m
    struct event_value before;
    struct event_value after;
    struct event_value source;
    struct event_value key;    // not part of the value: set by the caller
    struct event_value whole;  // the value itself; NULL: the event was made of parts
    struct slice prefix;       // source.name; size 0: absent, or no string; so are the next two
    struct slice schema;       // source.schema
    struct slice table;        // source.table
    int64_t commit_time_us;    // source.ts_us, else ts_ms * 1000; 0 without a source
};

/**
 * Finds the parts of a record's value. Its values are passed, not checked: writing one may fail.
 *
 * @param avro  exactly one datum; lent to the view
 * @param f     FAULT_REJECT: the bytes do not match the schema
 */
bool event_view_read(const struct avro_type *type, struct slice avro, struct event_view *ret,
                     struct fault *f) MUST_USE;

/** Appends a value as JSON; FAULT_REJECT as json_encode_datum: `out` is unchanged. */
bool event_value_append(struct bytes *out, const struct event_value *value,
                        const struct json_options *options, struct fault *f) MUST_USE;

/** Appends `{"op":…,"before":…,"after":…,"source":…}`; FAULT_REJECT: `out` is unchanged. */
bool event_view_append(struct bytes *out, const struct event_view *e, const struct json_options *options,
                       struct fault *f) MUST_USE;

/** Appends all that the value has, in its own order: of an envelope also `transaction`, `ts_ms` and so on. An
 * event that was made of parts has these alone. FAULT_REJECT: `out` is unchanged. */
bool event_view_append_whole(struct bytes *out, const struct event_view *e,
                             const struct json_options *options, struct fault *f) MUST_USE;

/** event_view_read and event_view_append. */
bool event_view_encode(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct fault *f) MUST_USE;

#endif
