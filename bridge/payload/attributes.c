#include "bridge/payload/attributes.h"

#include "bridge/intake/record_trace.h"
#include "bridge/payload/cloud_headers.h"
#include "core/base/text.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json_text.h"

/** The id in the frame of an Avro value; 0: none. */
static int32_t schema_id_of(const struct record *r)
{
    int32_t id;
    struct slice avro;
    struct fault f;
    return r->value_type != NULL && framing_split(r->value, &id, &avro, &f) ? id : 0;
}

struct attributes attributes_of(const struct record *r, const struct event_view *e)
{
    struct attributes a = {
        .id = r->id,
        .prefix = e->prefix,
        .operation = payload_operation_name(e->op),
        .schema = e->schema,
        .table = e->table,
        .time_us = payload_time_us(r, e),
        .schema_id = schema_id_of(r),
        .is_forwarded = r->is_cloud_event,
    };
    if (!e->is_envelope) {
        a.prefix = a.table =
            slice_of(record_origin(r));  // another producer's record: only the topic is known
    }
    if (a.is_forwarded) {
        a.id = cloud_headers_id(r);
    }
    struct record_trace trace;
    (void)record_trace_read(r, &trace);
    a.traceparent = trace.headers.traceparent;
    a.tracestate = trace.headers.tracestate;
    return a;
}

void attributes_append_source(struct bytes *out, const struct attributes *a, bool is_header)
{
    bytes_append_string(out, "/millrace/");
    if (!is_header) {
        payload_append_uri_segment(out, a->prefix);
        return;
    }
    CLEANUP(bytes_clear) struct bytes encoded = {0};
    if (payload_is_uri_segment(a->prefix)) {
        bytes_append_slice(out, a->prefix);
        return;
    }
    payload_append_uri_segment(&encoded, a->prefix);
    payload_append_header_value(out, bytes_slice(&encoded));
}

struct slice attributes_key(struct payload *p, const struct record *r, const struct event_view *e)
{
    struct fault f;
    bytes_reset(&p->key);
    if (e->key.kind != EVENT_VALUE_NULL && !event_value_append(&p->key, &e->key, &p->options->json, &f)) {
        text_append_json(&p->key, r->key);  // it only looked like Avro
    }
    return bytes_slice(&p->key);
}

void attributes_append_table(struct bytes *out, const struct attributes *a)
{
    json_text_content(out, a->schema);
    if (a->schema.size > 0) {
        bytes_append_byte(out, '.');
    }
    json_text_content(out, a->table);
}

void attributes_append_header_table(struct bytes *out, const struct attributes *a)
{
    payload_append_header_text(out, a->schema);
    if (a->schema.size > 0) {
        bytes_append_byte(out, '.');
    }
    payload_append_header_text(out, a->table);
}

void attributes_append_lines(struct bytes *lines, const struct attributes *a)
{
    bytes_append_string(lines, "millrace-operation: ");
    bytes_append_string(lines, a->operation);
    bytes_append_string(lines, "\r\nmillrace-table: ");
    attributes_append_header_table(lines, a);
    bytes_append_string(lines, "\r\nmillrace-id: ");
    payload_append_header_value(lines, a->id);
}
