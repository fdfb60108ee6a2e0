// The request of a call: one const table for each kind of payload, and the buffers of one call.
#ifndef BRIDGE_PAYLOAD_PAYLOAD_H
#define BRIDGE_PAYLOAD_PAYLOAD_H

#include "bridge/config/function_config.h"
#include "bridge/intake/record.h"
#include "bridge/payload/groups.h"
#include "bridge/payload/payload_text.h"
#include "bridge/payload/route.h"
#include "schemas/json/event_columns.h"

/** What is known of the schemas of a function's events. */
struct payload_plans {
    struct event_columns *columns;    // NULL: all columns are sent
    struct template_values *values;   // NULL: there are no templates
    struct connect_schemas *schemas;  // NULL: events are sent without them
};

/** The payload options of a function; lent to each payload. */
struct payload_options {
    enum function_payload kind;
    uint32_t operations;     // enum function_operation bits; others are filtered out
    bool is_batch;           // the body is a batch, even of one event
    size_t bytes_max;        // of the body
    bool is_endpoint_limit;  // and not batch.bytes
    const char
        *schemas_url;  // of the registry's schemas by id, with a slash at its end; lent; NULL: not known
    const char *bootstrap_servers;  // of Kafka; lent; NULL: not known
    enum function_kafka_encoding kafka_encoding;
    enum function_kafka_format kafka_format;
    enum function_images view;                // of dynamodb-stream
    enum function_decimals decimals;          // of debezium
    const char *region;                       // lent; NULL: local
    const struct template_config *templates;  // lent; NULL: none
    struct payload_plans *plans;              // owned; NULL: all columns, no templates, no schemas
    struct json_options json;
};

/** The buffers of one call, reused for the next; zero-initialised is valid. */
struct payload {
    const struct payload_options *options;
    struct bytes body;
    struct bytes lines;  // headers as on the wire, joined by CR LF
    struct bytes key;    // of the event being added, as JSON, for kinds that write it as a text
    struct bytes spare;  // a value as JSON before it is base64; the body before its events were put in order
    struct bytes columns;  // the event's rows with the chosen columns
    struct template_buffers buffers;
    struct route route;       // of the events in the body
    struct route next_route;  // of the event being added
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
extern const struct payload_type payload_template;

const struct payload_type *payload_type_of(enum function_payload kind);

/** The options of a function's file, which is lent; payload_options_clear releases them.
 *
 * @param component  of log lines; lent; NULL: nothing is logged */
struct payload_options payload_options_of(const struct function_config *config, const char *component);
void payload_options_clear(struct payload_options *o);

/** The media type of the bodies. */
const char *payload_content_type(const struct payload_options *o);

void payload_begin(struct payload *p, const struct payload_options *options);

enum payload_step {
    PAYLOAD_ADDED,
    PAYLOAD_FILTERED,  // not an operation the function asked for
    PAYLOAD_FULL,      // it does not fit beside the events before it, or goes elsewhere
    PAYLOAD_REJECTED,  // can never be sent: reject_reason is `undecodable`, `unrenderable` or `oversize`, *f
                       // says more
};

/** Writes a resolved event into the body; without is_batch only one. Unless it returns ADDED, the payload is
 * unchanged. */
enum payload_step payload_add(struct payload *p, struct record *r, struct fault *f) MUST_USE;

/** As payload_add, for an event whose parts are known. Of the record it needs no value. */
enum payload_step payload_add_event(struct payload *p, const struct record *r, const struct event_view *e,
                                    struct fault *f) MUST_USE;

/** After the last event: p->body, p->lines, payload_target and payload_content_type are what to send. */
void payload_finish(struct payload *p);
void payload_clear(struct payload *p);

/** After the request was sent: frees the buffers if one of them has more than `kept` bytes. */
void payload_trim(struct payload *p, size_t kept);

/** Path and query of the request; NULL: those of the endpoint. */
const char *payload_target(const struct payload *p);

#endif
