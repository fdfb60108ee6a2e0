// CloudEvents 1.0 in the JSON format: one event (structured mode) or an array of them (batched mode).
//
//   {"specversion":"1.0","id":…,"source":…,"type":…,"subject":…,"time":…,
//    "datacontenttype":"application/json","partitionkey":…,"sequence":…,"data":{"op":…,"before":…,"after":…}}
//
// Source: CloudEvents JSON Event Format 1.0.2; HTTP Protocol Binding 1.0.2, 3.2 and 3.3.
#include "bridge/payload/attributes.h"
#include "core/base/text.h"

/** An id of another producer may have any byte, so it is escaped. */
static void put_id(struct bytes *out, const char *name, struct slice id)
{
    bytes_append_string(out, name);
    text_append_json(out, id);
}

static void put_event(struct payload *p, const struct record *r, const struct event_json *json)
{
    struct attributes a = attributes_of(r, json);
    struct bytes *out = &p->array;
    bytes_append_string(out, "{\"specversion\":\"1.0\"");
    put_id(out, ",\"id\":", a.id);
    bytes_append_string(out, ",\"source\":\"/millrace/");
    bytes_append_slice(out, a.prefix);
    bytes_append_string(out, "\",\"type\":\"millrace.change.");
    bytes_append_string(out, a.operation);
    bytes_append_string(out, "\",\"subject\":\"");
    bytes_append_slice(out, a.schema);
    if (a.schema.size > 0) {
        bytes_append_byte(out, '.');
    }
    bytes_append_slice(out, a.table);
    if (a.time_us != 0) {
        bytes_append_string(out, "\",\"time\":\"");
        payload_append_time(out, a.time_us);
    }
    bytes_append_string(out, "\",\"datacontenttype\":\"application/json\"");
    if (a.key.size > 0) {
        put_id(out, ",\"partitionkey\":", a.key);
    }
    put_id(out, ",\"sequence\":", a.id);
    bytes_append_string(out, ",\"data\":");
    bytes_append(out, json->text.data + json->value.data.at, json->value.data.size);
    bytes_append_byte(out, '}');
}

static void add_element(struct payload *p, const struct record *r, const struct event_json *json)
{
    payload_array_next(p);
    put_event(p, r, json);
}

static void finish_one(struct payload *p)
{
    p->body = bytes_slice(&p->array);
}

const struct payload_type payload_cloudevents_structured = {
    .kind = "cloudevents-structured",
    .content_type = "application/cloudevents+json; charset=utf-8",
    .add = put_event,
    .finish = finish_one,
};

const struct payload_type payload_cloudevents_batch = {
    .kind = "cloudevents-batch",
    .content_type = "application/cloudevents-batch+json; charset=utf-8",
    .can_batch = true,
    .add = add_element,
    .finish = payload_array_end,
};
