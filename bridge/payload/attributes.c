#include "bridge/payload/attributes.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "schemas/json/json_text.h"

struct attributes attributes_of(const struct record *r, const struct event_view *e)
{
    struct attributes a = {
        .id = r->id,
        .prefix = e->prefix,
        .operation = payload_operation_name(e->op),
        .schema = e->schema,
        .table = e->table,
        .time_us = e->commit_time_us,
    };
    if (!e->is_envelope) {
        a.prefix = a.table =
            slice_of(record_origin(r));  // another producer's record: only the topic is known
    }
    if (a.time_us == 0 && r->timestamp_ms > 0) {
        a.time_us = r->timestamp_ms * CLOCK_US_PER_MS;
    }
    return a;
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
