#include "bridge/payload/attributes.h"

#include "bridge/intake/partition.h"
#include "core/base/clock.h"

static struct slice span(const struct event_json *json, struct json_span s)
{
    return slice_make(json->text.data + s.at, s.size);
}

struct attributes attributes_of(const struct event *e, const struct event_json *json)
{
    struct attributes a = {
        .id = e->id,
        .prefix = span(json, json->value.prefix),
        .operation = payload_operation_name(json->value.op),
        .schema = span(json, json->value.schema),
        .table = span(json, json->value.table),
        .time_us = json->value.commit_time_us,
        .key = json->key,
    };
    if (!json->value.is_envelope) {
        // Another producer's record: only the topic is known. A topic name needs no escaping.
        a.prefix = a.table = slice_of(e->partition->topic);
    }
    if (a.time_us == 0 && e->timestamp_ms > 0) {
        a.time_us = e->timestamp_ms * CLOCK_US_PER_MS;
    }
    return a;
}
