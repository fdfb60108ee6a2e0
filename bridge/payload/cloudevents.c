// CloudEvents 1.0 over HTTP, binary mode: attributes in headers, the event's data as the body.
//
//   ce-specversion: 1.0                      ce-subject: public.orders
//   ce-id: 0000000001A2B3C4-00000000         ce-time: 2024-01-02T03:04:05.678901Z
//   ce-source: /millrace/shop                ce-partitionkey: {%22id%22:1}
//   ce-type: millrace.change.create          ce-sequence: the id, whose order is the order of changes
//
// Source: CloudEvents HTTP Protocol Binding 1.0.2, 3.1.3.2 (percent-encoding of header values).
#include "bridge/payload/attributes.h"

static void put_line(struct bytes *lines, const char *name, struct slice value)
{
    bytes_append_string(lines, name);
    payload_append_header_value(lines, value);
}

static void put_all(struct bytes *lines, const struct attributes *a)
{
    bytes_append_string(lines, "ce-specversion: 1.0");
    put_line(lines, "\r\nce-id: ", a->id);
    bytes_append_string(lines, "\r\nce-source: /millrace/");
    payload_append_header_json(lines, a->prefix);
    bytes_append_string(lines, "\r\nce-type: millrace.change.");
    bytes_append_string(lines, a->operation);
    bytes_append_string(lines, "\r\nce-subject: ");
    payload_append_header_json(lines, a->schema);
    if (a->schema.size > 0) {
        bytes_append_byte(lines, '.');
    }
    payload_append_header_json(lines, a->table);
    if (a->time_us != 0) {
        bytes_append_string(lines, "\r\nce-time: ");
        payload_append_time(lines, a->time_us);
    }
    if (a->key.size > 0) {
        put_line(lines, "\r\nce-partitionkey: ", a->key);
    }
    put_line(lines, "\r\nce-sequence: ", a->id);
    bytes_append_byte(lines, '\0');
}

static void add(struct payload *p, const struct record *r, const struct event_json *json)
{
    struct attributes a = attributes_of(r, json);
    put_all(&p->lines, &a);
    p->body = slice_make(json->text.data + json->value.data.at, json->value.data.size);
}

static void finish(struct payload *p)
{
    (void)p;  // add() has set the body
}

const struct payload_type payload_cloudevents = {
    .kind = "cloudevents",
    .content_type = "application/json",
    .add = add,
    .finish = finish,
};
