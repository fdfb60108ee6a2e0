// CloudEvents 1.0 over HTTP, binary mode: attributes in headers, the event's data as the body.
//
//   ce-specversion: 1.0                      ce-subject: public.orders
//   ce-id: 0000000001A2B3C4-00000000         ce-time: 2024-01-02T03:04:05.678901Z
//   ce-source: /millrace/shop                ce-partitionkey: {%22id%22:1}
//   ce-type: millrace.change.create          ce-sequence: the id, whose order is the order of changes
//
// Source: CloudEvents HTTP Protocol Binding 1.0.2, 3.1.3.2 (percent-encoding of header values).
#include "bridge/payload/attributes.h"

static void put_all(struct bytes *lines, const struct attributes *a, struct slice key)
{
    bytes_append_string(lines, "ce-specversion: 1.0");
    bytes_append_string(lines, "\r\nce-id: ");
    size_t id_at = lines->size;
    payload_append_header_value(lines, a->id);
    size_t id_size = lines->size - id_at;
    bytes_append_string(lines, "\r\nce-source: /millrace/");
    payload_append_header_text(lines, a->prefix);
    bytes_append_string(lines, "\r\nce-type: millrace.change.");
    bytes_append_string(lines, a->operation);
    bytes_append_string(lines, "\r\nce-subject: ");
    attributes_append_header_table(lines, a);
    if (a->time_us != 0) {
        bytes_append_string(lines, "\r\nce-time: ");
        payload_append_time(lines, a->time_us);
    }
    if (key.size > 0) {
        bytes_append_string(lines, "\r\nce-partitionkey: ");
        payload_append_header_value(lines, key);
    }
    bytes_append_string(lines, "\r\nce-sequence: ");
    bytes_append_again(lines, id_at, id_size);
}

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    struct attributes a = attributes_of(r, e);
    put_all(&p->lines, &a, attributes_key(p, r, e));
    return event_view_append(&p->body, e, &p->options->json, f);
}

const struct payload_type payload_cloudevents = {
    .kind = "cloudevents",
    .content_type = "application/json",
    .render = render,
};
