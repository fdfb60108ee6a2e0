#include "bridge/payload/attributes.h"

#include "core/base/clock.h"

static struct slice span(const struct event_json *json, struct json_span s)
{
    return slice_make(json->text.data + s.at, s.size);
}

struct attributes attributes_of(const struct record *r, const struct event_json *json)
{
    struct attributes a = {
        .id = r->id,
        .prefix = span(json, json->value.prefix),
        .operation = payload_operation_name(json->value.op),
        .schema = span(json, json->value.schema),
        .table = span(json, json->value.table),
        .time_us = json->value.commit_time_us,
        .key = json->key,
    };
    if (!json->value.is_envelope) {
        // Another producer's record: only the topic is known. A topic name needs no escaping.
        a.prefix = a.table = slice_of(record_origin(r));
    }
    if (a.time_us == 0 && r->timestamp_ms > 0) {
        a.time_us = r->timestamp_ms * CLOCK_US_PER_MS;
    }
    return a;
}
