// CloudEvents 1.0 in the JSON format: one event (structured mode) or an array of them (batched mode).
//
//   {"specversion":"1.0","id":…,"source":…,"type":…,"subject":…,"time":…,
//    "datacontenttype":"application/json","partitionkey":…,"sequence":…,"data":{"op":…,"before":…,"after":…}}
//
// Source: CloudEvents JSON Event Format 1.0.2; HTTP Protocol Binding 1.0.2, 3.2 and 3.3.
#include "bridge/payload/attributes.h"
#include "core/base/text.h"
#include "schemas/json/json_text.h"

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    struct attributes a = attributes_of(r, e);
    struct bytes *out = &p->body;
    bytes_append_string(out, "{\"specversion\":\"1.0\"");
    bytes_append_string(out, ",\"id\":");
    size_t id_at = out->size;
    text_append_json(out, a.id);  // of another producer, it may have any byte
    size_t id_size = out->size - id_at;
    bytes_append_string(out, ",\"source\":\"/millrace/");
    json_text_content(out, a.prefix);
    bytes_append_string(out, "\",\"type\":\"millrace.change.");
    bytes_append_string(out, a.operation);
    bytes_append_string(out, "\",\"subject\":\"");
    attributes_append_table(out, &a);
    if (a.time_us != 0) {
        bytes_append_string(out, "\",\"time\":\"");
        payload_append_time(out, a.time_us);
    }
    bytes_append_string(out, "\",\"datacontenttype\":\"application/json\"");
    struct slice key = attributes_key(p, r, e);
    if (key.size > 0) {
        bytes_append_string(out, ",\"partitionkey\":");
        text_append_json(out, key);
    }
    bytes_append_string(out, ",\"sequence\":");
    bytes_append_again(out, id_at, id_size);
    bytes_append_string(out, ",\"data\":");
    if (!event_view_append(out, e, &p->options->json, f)) {
        return false;
    }
    bytes_append_byte(out, '}');
    return true;
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
