// The record's value as Kafka Connect's JsonConverter writes Debezium's records, schemas.enable=false.
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
    return event_view_append_whole(&p->body, e, &json, f);
}

const struct payload_type payload_debezium = {
    .kind = "debezium",
    .content_type = "application/json",
    .can_batch = true,
    .opening = "[",
    .closing = "]",
    .render = render,
};
