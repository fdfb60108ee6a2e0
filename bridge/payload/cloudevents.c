// CloudEvents 1.0 over HTTP, binary mode: attributes in headers, the event's data as the body.
//
//   ce-specversion: 1.0                      ce-subject: public.orders
//   ce-id: 0000000001a2b3c4-00000000         ce-time: 2024-01-02T03:04:05.678901Z
//   ce-source: /millrace/shop                ce-partitionkey: {%22id%22:1}
//   ce-type: millrace.change.create          ce-sequence: the id, whose order is the order of changes
//   ce-dataschema: https://registry.example/schemas/ids/7
//   ce-traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01      ce-tracestate: …
//
// A record that is a CloudEvent itself is forwarded with its own attributes and its value as the data.
//
// Source: CloudEvents HTTP Protocol Binding 1.0.2, 3.1.3.2 (percent-encoding of header values).
#include "bridge/payload/attributes.h"
#include "bridge/payload/cloud_headers.h"
#include "schemas/json/json_text.h"

static void put_trace(struct bytes *lines, const struct attributes *a)
{
    if (a->traceparent.size > 0) {
        bytes_append_string(lines, "\r\nce-traceparent: ");
        payload_append_header_value(lines, a->traceparent);
    }
    if (a->tracestate.size > 0) {
        bytes_append_string(lines, "\r\nce-tracestate: ");
        payload_append_header_value(lines, a->tracestate);
    }
}

static void put_all(struct bytes *lines, const struct attributes *a, struct slice key,
                    const char *schemas_url)
{
    bytes_append_string(lines, "ce-specversion: 1.0");
    bytes_append_string(lines, "\r\nce-id: ");
    size_t id_at = lines->size;
    payload_append_header_text(lines, a->id);
    size_t id_size = lines->size - id_at;
    bytes_append_string(lines, "\r\nce-source: ");
    attributes_append_source(lines, a, true);
    bytes_append_string(lines, "\r\nce-type: millrace.change.");
    bytes_append_string(lines, a->operation);
    if (a->table.size > 0) {
        bytes_append_string(lines, "\r\nce-subject: ");
        attributes_append_header_table(lines, a);
    }
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
    if (a->schema_id != 0 && schemas_url != NULL) {
        bytes_append_string(lines, "\r\nce-dataschema: ");
        payload_append_header_value(lines, slice_of(schemas_url));
        json_text_integer(lines, a->schema_id);
    }
    put_trace(lines, a);
}

/** The event as it came: whoever reads its attributes finds what its producer wrote. */
static void put_forwarded(struct bytes *lines, const struct record *r, const struct attributes *a,
                          struct slice key)
{
    struct cloud_header header;
    bytes_append_string(lines, "ce-specversion: 1.0\r\nce-id: ");
    payload_append_header_value(lines, a->id);
    for (size_t at = 0; cloud_headers_next(r, &at, &header);) {
        bytes_append_string(lines, "\r\nce-");
        bytes_append_slice(lines, header.name);
        bytes_append_string(lines, ": ");
        payload_append_header_value(lines, header.value);
    }
    if (key.size > 0 && !cloud_headers_has(r, "partitionkey")) {
        bytes_append_string(lines, "\r\nce-partitionkey: ");
        payload_append_header_value(lines, key);
    }
    if (!cloud_headers_has(r, "traceparent")) {
        put_trace(lines, a);
    }
}

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    struct attributes a = attributes_of(r, e);
    if (a.is_forwarded) {
        put_forwarded(&p->lines, r, &a, attributes_key(p, r, e));
        return event_value_append(&p->body, &e->after, &p->options->json, f);
    }
    put_all(&p->lines, &a, attributes_key(p, r, e), p->options->schemas_url);
    return event_view_append(&p->body, e, &p->options->json, f);
}

const struct payload_type payload_cloudevents = {
    .kind = "cloudevents",
    .content_type = "application/json",
    .render = render,
};
