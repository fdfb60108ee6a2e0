// The request of a call: one const table for each kind of payload, and the buffers of one call.
#ifndef BRIDGE_PAYLOAD_PAYLOAD_H
#define BRIDGE_PAYLOAD_PAYLOAD_H

#include "bridge/config/function_config.h"
#include "bridge/intake/record.h"
#include "bridge/payload/groups.h"

/** The payload options of a function. Plain data; lent to each payload. */
struct payload_options {
    enum function_payload kind;
    uint32_t operations;  // enum function_operation bits; others are filtered out
    bool is_batch;        // the body is a batch, even of one event
    size_t bytes_max;     // of the body
    const char
        *schemas_url;  // of the registry's schemas by id, with a slash at its end; lent; NULL: not known
    const char *bootstrap_servers;  // of Kafka; lent; NULL: not known
    enum function_kafka_encoding kafka_encoding;
    enum function_kafka_format kafka_format;
    enum function_images view;        // of dynamodb-stream
    enum function_decimals decimals;  // of debezium
    const char *region;               // lent; NULL: local
    struct json_options json;
};

/** The buffers of one call, reused for the next; zero-initialised is valid. */
struct payload {
    const struct payload_options *options;
    struct bytes body;
    struct bytes lines;  // headers as on the wire, joined by CR LF
    struct bytes key;    // of the event being added, as JSON, for kinds that write it as a text
    struct bytes spare;  // a value as JSON before it is base64; the body before its events were put in order
    struct groups groups;
    size_t event_count;
    const char *reject_reason;  // after PAYLOAD_REJECTED
};

/** One kind of payload. */
struct payload_type {
    const char *kind;  // as in the function's file
    const char *content_type;
    bool can_batch;
    bool is_always_batch;  // one event is sent as a batch, too
    const char *opening;   // of a batch; its events are joined by commas
    const char *closing;
    /** Instead of `opening` and the commas: writes what stands before the event. NULL: `opening` serves. */
    void (*open)(struct payload *p, const struct record *r);
    /** Before `closing`: may write the body anew, of the same size. NULL: nothing to do. */
    void (*close)(struct payload *p);
    /** Appends one event to the body, and its headers to the lines. False: it can't be decoded; what was
     * appended is cut off again. */
    bool (*render)(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f);
};

extern const struct payload_type payload_cloudevents;
extern const struct payload_type payload_cloudevents_structured;
extern const struct payload_type payload_cloudevents_batch;
extern const struct payload_type payload_row;
extern const struct payload_type payload_lambda_kafka;
extern const struct payload_type payload_dynamodb_stream;
extern const struct payload_type payload_debezium;

const struct payload_type *payload_type_of(enum function_payload kind);

/** The options of a function's file. */
struct payload_options payload_options_of(const struct function_config *config);

void payload_begin(struct payload *p, const struct payload_options *options);

enum payload_step {
    PAYLOAD_ADDED,
    PAYLOAD_FILTERED,  // not an operation the function asked for
    PAYLOAD_FULL,      // it does not fit beside the events before it
    PAYLOAD_REJECTED,  // can never be sent: reject_reason is `undecodable` or `oversize`, *f says more
};

/** Writes a resolved event into the body; without is_batch only one. Unless it returns ADDED, the payload is
 * unchanged. */
enum payload_step payload_add(struct payload *p, struct record *r, struct fault *f) MUST_USE;

/** As payload_add, for an event whose parts are known. Of the record it needs no value. */
enum payload_step payload_add_event(struct payload *p, const struct record *r, const struct event_view *e,
                                    struct fault *f) MUST_USE;

/** After the last event: p->body, p->lines and the type's content_type are what to send. */
void payload_finish(struct payload *p);
void payload_clear(struct payload *p);

/** An envelope's op as a word, or `unknown`. */
const char *payload_operation_name(char op);

/** Microseconds since 1970 as RFC 3339 in UTC, `2024-01-02T03:04:05.678901Z`. */
void payload_append_time(struct bytes *out, int64_t wall_us);

/** A value as a CloudEvents HTTP header: all but U+0021..U+007E, and `"` and `%`, as %XX of its UTF-8 bytes.
 */
void payload_append_header_value(struct bytes *out, struct slice text);

/** Whether payload_append_uri_segment would change nothing. */
bool payload_is_uri_segment(struct slice text);

/** A part of a path, percent-encoded as RFC 3986 says; plain ASCII that is valid in a JSON string, too. */
void payload_append_uri_segment(struct bytes *out, struct slice text);

/** The same for a name, whose bytes that are not UTF-8 become U+FFFD, as in JSON. */
void payload_append_header_text(struct bytes *out, struct slice text);

#endif
