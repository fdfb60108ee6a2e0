// The record's value as Kafka Connect's JsonConverter writes Debezium's records, schemas.enable=false; or
// with `schemas` as {"schema":…,"payload":…}, where the schema of a record without one (JSON) is null.
//
//   one event a call            {"before":…,"after":…,"source":{…},"transaction":…,"op":"u","ts_ms":…,…},
//   with
//                               millrace-operation, millrace-table and millrace-id as headers
//   batch.events over 1         an array of these
//
// Dates and times are numbers, json columns strings, bytes base64; so are decimals, unless the file says
// otherwise.
//
// Source: org.apache.kafka.connect.json.JsonConverter (Apache Kafka 4): convertToJson, LOGICAL_CONVERTERS.
#include "bridge/payload/attributes.h"
#include "schemas/json/connect_schema.h"

/** Appends what stands before the payload. */
static bool put_schema(struct connect_schemas *schemas, const struct event_view *e, struct bytes *out,
                       struct fault *f)
{
    struct slice schema = slice_of("null");
    if (e->whole.kind == EVENT_VALUE_AVRO && !connect_schemas_get(schemas, e->whole.type, &schema, f)) {
        return false;
    }
    bytes_append_string(out, "{\"schema\":");
    bytes_append_slice(out, schema);
    bytes_append_string(out, ",\"payload\":");
    return true;
}

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    const struct json_options json = {
        .int64_as_string = p->options->json.int64_as_string,
        .as_stored = true,
        .decimals_as_base64 = p->options->decimals == FUNCTION_DECIMALS_BASE64,
    };
    if (!p->options->is_batch) {
        struct attributes a = attributes_of(r, e);
        attributes_append_lines(&p->lines, &a);
    }
    struct connect_schemas *schemas = p->options->plans == NULL ? NULL : p->options->plans->schemas;
    if (schemas == NULL) {
        return event_view_append_whole(&p->body, e, &json, f);
    }
    if (!put_schema(schemas, e, &p->body, f) || !event_view_append_whole(&p->body, e, &json, f)) {
        return false;
    }
    bytes_append_byte(&p->body, '}');
    return true;
}

const struct payload_type payload_debezium = {
    .kind = "debezium",
    .content_type = "application/json",
    .can_batch = true,
    .opening = "[",
    .closing = "]",
    .render = render,
};
