// The row and nothing else: what it is after the change, or what it was before a delete. With `batch.events`
// over 1 a JSON array of rows. A single row brings its operation and id in headers, for functions that want
// to know.
#include "bridge/payload/payload.h"

static struct slice row_of(const struct event_json *json)
{
    struct json_span span = json->value.after.size > 0 ? json->value.after : json->value.before;
    return span.size > 0 ? slice_make(json->text.data + span.at, span.size) : slice_of("null");
}

static void add(struct payload *p, const struct event *e, const struct event_json *json)
{
    if (p->options->is_array) {
        payload_array_next(p);
        bytes_append_slice(&p->array, row_of(json));
        return;
    }
    p->body = row_of(json);
    bytes_append_string(&p->lines, "millrace-operation: ");
    bytes_append_string(&p->lines, payload_operation_name(json->value.op));
    bytes_append_string(&p->lines, "\r\nmillrace-id: ");
    payload_append_header_value(&p->lines, e->id);
    bytes_append_byte(&p->lines, '\0');
}

static void finish(struct payload *p)
{
    if (p->options->is_array) {
        payload_array_end(p);
    }
}

const struct payload_type payload_row = {
    .kind = "row",
    .content_type = "application/json",
    .can_batch = true,
    .add = add,
    .finish = finish,
};
