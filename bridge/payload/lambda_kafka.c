// The event that AWS Lambda sends for a self-managed Kafka.
//
//   {"eventSource":"SelfManagedKafka","bootstrapServers":"kafka:9092","records":{
//     "shop.public.orders-0":[{"topic":"shop.public.orders","partition":0,"offset":15,
//       "timestamp":1704164645678,"timestampType":"CREATE_TIME","key":"AAAAAAEO","value":"AAAAAAI…",
//       "headers":[{"millrace.position":[48,48,…]}],
//       "keySchemaMetadata":{"dataFormat":"AVRO","schemaId":"1"},"valueSchemaMetadata":{…}}]}}
//
// The metadata is there when the record was read with its schema (formats source and json), as with a schema
// registry in AWS. Its dataFormat is what key and value are here, AVRO or JSON: Powertools refuses any other.
// A record without a key has no `key`.
//
// Source: AWS Lambda Developer Guide, "Processing self-managed Apache Kafka messages" and "Using schema
// registries with Kafka event sources".
#include "bridge/payload/payload.h"
#include "core/base/text.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json_text.h"

static void begin_event(struct payload *p, const struct record *r)
{
    if (p->event_count == 0) {
        const char *servers = p->options->bootstrap_servers;
        bytes_append_string(&p->body, "{\"eventSource\":\"SelfManagedKafka\",\"bootstrapServers\":");
        text_append_json(&p->body, slice_of(servers == NULL ? "" : servers));
        bytes_append_string(&p->body, ",\"records\":{");
    }
    struct record_place place = record_place(r);
    groups_open(&p->groups, &p->body, place.topic, place.partition, place.offset);
}

static void put_in_order(struct payload *p)
{
    groups_close(&p->groups, &p->body, &p->spare);
}

/** A key that only looks like Avro is a string. */
static bool append_key_json(struct bytes *out, const struct record *r, const struct event_view *e,
                            const struct json_options *options, struct fault *f)
{
    if (!event_value_append(out, &e->key, options, f)) {
        text_append_json(out, r->key);
    }
    return true;
}

/** Key or value of the record. */
struct part {
    struct slice bytes;
    const struct avro_type *type;
    bool is_key;
};

static bool put_json(struct payload *p, struct bytes *out, const struct record *r, const struct event_view *e,
                     const struct part *part, struct fault *f)
{
    const struct json_options *json = &p->options->json;
    return part->is_key ? append_key_json(out, r, e, json, f) : event_view_append_whole(out, e, json, f);
}

static bool put_part(struct payload *p, const struct record *r, const struct event_view *e,
                     const struct part *part, struct fault *f)
{
    if (p->options->kafka_encoding == FUNCTION_KAFKA_PLAIN) {
        return put_json(p, &p->body, r, e, part, f);
    }
    bool is_made = part->bytes.data == NULL;  // an event of a test: it has no bytes
    if (p->options->kafka_format == FUNCTION_KAFKA_JSON || is_made) {
        // A key that is no Avro has no other form than its bytes.
        if (part->is_key && part->type == NULL && !is_made) {
            json_text_base64(&p->body, part->bytes);
            return true;
        }
        bytes_reset(&p->spare);
        if (!put_json(p, &p->spare, r, e, part, f)) {
            return false;
        }
        json_text_base64(&p->body, bytes_slice(&p->spare));
        return true;
    }
    bool is_cut = p->options->kafka_format == FUNCTION_KAFKA_SOURCE && part->type != NULL;
    size_t skipped = is_cut ? FRAMING_SIZE : 0;
    json_text_base64(&p->body, slice_make(part->bytes.data + skipped, part->bytes.size - skipped));
    return true;
}

static void put_headers(struct bytes *out, const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t size;
    bytes_append_string(out, ",\"headers\":[");
    size_t count = headers == NULL ? 0 : rd_kafka_header_cnt(headers);
    for (size_t i = 0; i < count; i++) {
        (void)rd_kafka_header_get_all(headers, i, &name, &value, &size);
        bytes_append_string(out, i == 0 ? "{" : ",{");
        text_append_json(out, slice_of(name));
        bytes_append_string(out, ":[");
        for (size_t at = 0; at < size; at++) {
            if (at > 0) {
                bytes_append_byte(out, ',');
            }
            json_text_integer(out, ((const uint8_t *)value)[at]);
        }
        bytes_append_string(out, "]}");
    }
    bytes_append_byte(out, ']');
}

static void put_schema(const struct payload *p, struct bytes *out, const struct part *part)
{
    int32_t id;
    struct slice avro;
    struct fault f;
    bool is_raw =
        p->options->kafka_encoding == FUNCTION_KAFKA_BASE64 && p->options->kafka_format == FUNCTION_KAFKA_RAW;
    if (is_raw || part->type == NULL || !framing_split(part->bytes, &id, &avro, &f)) {
        return;
    }
    bytes_append_string(out, part->is_key ? ",\"keySchemaMetadata\"" : ",\"valueSchemaMetadata\"");
    bool is_source = p->options->kafka_encoding == FUNCTION_KAFKA_BASE64 &&
                     p->options->kafka_format == FUNCTION_KAFKA_SOURCE;
    bytes_append_string(out, is_source ? ":{\"dataFormat\":\"AVRO\"" : ":{\"dataFormat\":\"JSON\"");
    bytes_append_string(out, ",\"schemaId\":\"");
    json_text_integer(out, id);
    bytes_append_string(out, "\"}");
}

static void put_place(struct bytes *out, const struct record *r)
{
    struct record_place place = record_place(r);
    bytes_append_string(out, "{\"topic\":");
    text_append_json(out, slice_of(place.topic));
    bytes_append_string(out, ",\"partition\":");
    json_text_integer(out, place.partition);
    bytes_append_string(out, ",\"offset\":");
    json_text_integer(out, place.offset);
    bytes_append_string(out, ",\"timestamp\":");
    json_text_integer(out, r->timestamp_ms);
    bytes_append_string(out, ",\"timestampType\":\"");
    bytes_append_string(out, r->timestamp_ms < 0 ? "NO_TIMESTAMP_TYPE\""
                             : r->is_append_time ? "LOG_APPEND_TIME\""
                                                 : "CREATE_TIME\"");
}

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    struct bytes *out = &p->body;
    const struct part key = {.bytes = r->key, .type = r->key_type, .is_key = true};
    const struct part value = {.bytes = r->value, .type = r->value_type};
    put_place(out, r);
    if (e->key.kind != EVENT_VALUE_NULL) {
        bytes_append_string(out, ",\"key\":");
        (void)put_part(p, r, e, &key, f);
    }
    bytes_append_string(out, ",\"value\":");
    if (!put_part(p, r, e, &value, f)) {
        return false;
    }
    put_headers(out, r->headers);
    put_schema(p, out, &key);
    put_schema(p, out, &value);
    bytes_append_byte(out, '}');
    return true;
}

const struct payload_type payload_lambda_kafka = {
    .kind = "lambda-kafka",
    .content_type = "application/json",
    .can_batch = true,
    .is_always_batch = true,
    .opening = "",
    .closing = "]}}",
    .open = begin_event,
    .close = put_in_order,
    .render = render,
};
