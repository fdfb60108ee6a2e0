// The row: as it is after the change, or as it was before a delete.
//
//   one event a call            the row; millrace-operation, millrace-table and millrace-id are headers
//   batch.events over 1 [{"op":"d","table":"public.orders","id":"0000000001A2B3C4-00000000","row":{…}},…]
//
// `op` is the envelope's: c, r, u or d. It distinguishes a delete from other changes.
#include "bridge/payload/attributes.h"

#include "core/base/text.h"

static struct slice row_of(const struct event_json *json)
{
    struct json_span span = json->value.after.size > 0 ? json->value.after : json->value.before;
    return span.size > 0 ? slice_make(json->text.data + span.at, span.size) : slice_of("null");
}

static void add_element(struct payload *p, const struct record *r, const struct event_json *json)
{
    struct attributes a = attributes_of(r, json);
    struct bytes *out = &p->array;
    payload_array_next(p);
    bytes_append_string(out, "{\"op\":\"");
    bytes_append_byte(out, (uint8_t)json->value.op);
    bytes_append_string(out, "\",\"table\":\"");
    bytes_append_slice(out, a.schema);
    if (a.schema.size > 0) {
        bytes_append_byte(out, '.');
    }
    bytes_append_slice(out, a.table);
    bytes_append_string(out, "\",\"id\":");
    text_append_json(out, a.id);
    bytes_append_string(out, ",\"row\":");
    bytes_append_slice(out, row_of(json));
    bytes_append_byte(out, '}');
}

static void add_alone(struct payload *p, const struct record *r, const struct event_json *json)
{
    struct attributes a = attributes_of(r, json);
    struct bytes *lines = &p->lines;
    p->body = row_of(json);
    bytes_append_string(lines, "millrace-operation: ");
    bytes_append_string(lines, a.operation);
    bytes_append_string(lines, "\r\nmillrace-table: ");
    payload_append_header_json(lines, a.schema);
    if (a.schema.size > 0) {
        bytes_append_byte(lines, '.');
    }
    payload_append_header_json(lines, a.table);
    bytes_append_string(lines, "\r\nmillrace-id: ");
    payload_append_header_value(lines, a.id);
    bytes_append_byte(lines, '\0');
}

static void add(struct payload *p, const struct record *r, const struct event_json *json)
{
    if (p->options->is_array) {
        add_element(p, r, json);
    } else {
        add_alone(p, r, json);
    }
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
    .scope = EVENT_ROW,
    .add = add,
    .finish = finish,
};
