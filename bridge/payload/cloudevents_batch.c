// CloudEvents 1.0 in the JSON format: one event (structured mode) or an array of them (batched mode).
//
//   {"specversion":"1.0","id":…,"source":…,"type":…,"subject":…,"time":…,
//    "datacontenttype":"application/json","partitionkey":…,"sequence":…,"dataschema":…,"traceparent":…,
//    "tracestate":…,"data":{"op":…,"before":…,"after":…}}
//
// Source: CloudEvents JSON Event Format 1.0.2; HTTP Protocol Binding 1.0.2, 3.2 and 3.3.
#include "bridge/payload/attributes.h"
#include "bridge/payload/cloud_headers.h"
#include "core/base/text.h"
#include "schemas/json/json_text.h"

static void put_text(struct bytes *out, const char *name, struct slice text)
{
    bytes_append_string(out, name);
    text_append_json(out, text);
}

static void put_trace(struct bytes *out, const struct attributes *a)
{
    if (a->traceparent.size > 0) {
        put_text(out, ",\"traceparent\":", a->traceparent);
    }
    if (a->tracestate.size > 0) {
        put_text(out, ",\"tracestate\":", a->tracestate);
    }
}

static void put_schema(struct bytes *out, const struct attributes *a, const char *schemas_url)
{
    if (a->schema_id != 0 && schemas_url != NULL) {
        bytes_append_string(out, ",\"dataschema\":\"");
        json_text_content(out, slice_of(schemas_url));
        json_text_integer(out, a->schema_id);
        bytes_append_byte(out, '"');
    }
}

/** From the id to the data, whose name it ends with. */
static void put_own(struct payload *p, const struct record *r, const struct event_view *e,
                    const struct attributes *a)
{
    struct bytes *out = &p->body;
    bytes_append_string(out, ",\"id\":");
    size_t id_at = out->size;
    text_append_json(out, a->id);  // of another producer, it may have any byte
    size_t id_size = out->size - id_at;
    bytes_append_string(out, ",\"source\":\"");
    attributes_append_source(out, a, false);
    bytes_append_string(out, "\",\"type\":\"millrace.change.");
    bytes_append_string(out, a->operation);
    if (a->table.size > 0) {
        bytes_append_string(out, "\",\"subject\":\"");
        attributes_append_table(out, a);
    }
    if (a->time_us != 0) {
        bytes_append_string(out, "\",\"time\":\"");
        payload_append_time(out, a->time_us);
    }
    bytes_append_string(out, "\",\"datacontenttype\":\"application/json\"");
    struct slice key = attributes_key(p, r, e);
    if (key.size > 0) {
        put_text(out, ",\"partitionkey\":", key);
    }
    bytes_append_string(out, ",\"sequence\":");
    bytes_append_again(out, id_at, id_size);
    put_schema(out, a, p->options->schemas_url);
    put_trace(out, a);
}

/** The event as it came. */
static void put_forwarded(struct payload *p, const struct record *r, const struct event_view *e,
                          const struct attributes *a)
{
    struct bytes *out = &p->body;
    struct cloud_header header;
    put_text(out, ",\"id\":", a->id);
    bytes_append_string(out, ",\"datacontenttype\":\"application/json\"");
    for (size_t at = 0; cloud_headers_next(r, &at, &header);) {
        bytes_append_string(out, ",\"");
        bytes_append_slice(out, header.name);
        put_text(out, "\":", header.value);
    }
    struct slice key = attributes_key(p, r, e);
    if (key.size > 0 && !cloud_headers_has(r, "partitionkey")) {
        put_text(out, ",\"partitionkey\":", key);
    }
    if (!cloud_headers_has(r, "traceparent")) {
        put_trace(out, a);
    }
}

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    struct attributes a = attributes_of(r, e);
    struct bytes *out = &p->body;
    bytes_append_string(out, "{\"specversion\":\"1.0\"");
    if (a.is_forwarded) {
        put_forwarded(p, r, e, &a);
    } else {
        put_own(p, r, e, &a);
    }
    bytes_append_string(out, ",\"data\":");
    bool is_good = a.is_forwarded ? event_value_append(out, &e->after, &p->options->json, f)
                                  : event_view_append(out, e, &p->options->json, f);
    bytes_append_byte(out, '}');
    return is_good;
}

const struct payload_type payload_cloudevents_structured = {
    .kind = "cloudevents-structured",
    .content_type = "application/cloudevents+json; charset=utf-8",
    .render = render,
};

const struct payload_type payload_cloudevents_batch = {
    .kind = "cloudevents-batch",
    .content_type = "application/cloudevents-batch+json; charset=utf-8",
    .can_batch = true,
    .is_always_batch = true,
    .opening = "[",
    .closing = "]",
    .render = render,
};
