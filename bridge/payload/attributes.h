// The CloudEvents 1.0 attributes of one event, for all payloads.
#ifndef BRIDGE_PAYLOAD_ATTRIBUTES_H
#define BRIDGE_PAYLOAD_ATTRIBUTES_H

#include "bridge/payload/payload.h"

/** Borrowed from the event. */
struct attributes {
    struct slice id;
    struct slice prefix;       // of source `/millrace/<prefix>`
    const char *operation;     // of type `millrace.change.<operation>`
    struct slice schema;       // of subject `<schema>.<table>`; size 0: the subject is `table` alone
    struct slice table;        // size 0: no subject
    int64_t time_us;           // wall; 0: none
    int32_t schema_id;         // of `dataschema`; 0: not known
    struct slice traceparent;  // of the record's headers; size 0: none, or invalid
    struct slice tracestate;
    bool is_forwarded;  // the record is a CloudEvent of another producer: its headers have the attributes
};

struct attributes attributes_of(const struct record *r, const struct event_view *e);

/** The partitionkey: the event's key as JSON; size 0: none. Valid until the payload's next event. */
struct slice attributes_key(struct payload *p, const struct record *r, const struct event_view *e);

/** Appends `<schema>.<table>` into a JSON string, or as a header's value. */
void attributes_append_table(struct bytes *out, const struct attributes *a);
void attributes_append_header_table(struct bytes *out, const struct attributes *a);

/** Appends the source, as a header's value if `is_header`, else into a JSON string. */
void attributes_append_source(struct bytes *out, const struct attributes *a, bool is_header);

/** Appends the headers `millrace-operation`, `-table` and `-id`, for bodies that have no place for them. */
void attributes_append_lines(struct bytes *lines, const struct attributes *a);

#endif
