#include "schemas/json/event_view.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "schemas/avro/avro_pass.h"

/** The commit time, from a source that may have it in two fields. */
struct source_time {
    int64_t us;
    int64_t ms;
};

static struct slice text_at(const struct avro_type *type, const uint8_t *at, const uint8_t *end)
{
    struct cursor c = {at, end, false};
    return type->kind == AVRO_KIND_STRING ? avro_read_bytes(&c) : (struct slice){NULL, 0};
}

static int64_t number_at(const struct avro_type *type, const uint8_t *at, const uint8_t *end)
{
    struct cursor c = {at, end, false};
    bool is_number = type->kind == AVRO_KIND_LONG || type->kind == AVRO_KIND_INT;
    return is_number ? avro_read_long(&c) : 0;
}

static void note(struct event_view *e, struct source_time *time, const struct avro_field *field,
                 const uint8_t *at, const uint8_t *end)
{
    switch (field->role) {
    case AVRO_ROLE_NAME:
        e->prefix = text_at(field->pass.type, at, end);
        return;
    case AVRO_ROLE_SCHEMA:
        e->schema = text_at(field->pass.type, at, end);
        return;
    case AVRO_ROLE_TABLE:
        e->table = text_at(field->pass.type, at, end);
        return;
    case AVRO_ROLE_TS_US:
        time->us = number_at(field->pass.type, at, end);
        return;
    case AVRO_ROLE_TS_MS:
        time->ms = number_at(field->pass.type, at, end);
        return;
    case AVRO_ROLE_NONE:
    case AVRO_ROLE_OP:
    case AVRO_ROLE_BEFORE:
    case AVRO_ROLE_AFTER:
    case AVRO_ROLE_SOURCE:
        return;
    }
}

static int64_t commit_time_us(const struct source_time *time)
{
    int64_t us = time->us;
    if (us == 0 && __builtin_mul_overflow(time->ms, CLOCK_US_PER_MS, &us)) {
        us = 0;
    }
    return us;
}

static const uint8_t *pass_source(struct event_view *e, const struct avro_type *source, const uint8_t *at,
                                  const uint8_t *end)
{
    struct source_time time = {0};
    const uint8_t *begin = at;
    const struct avro_field *behind = source->fields + source->count;
    for (const struct avro_field *field = source->fields; field < behind && at != NULL; field++) {
        bool is_null;
        at = avro_pass_branch(&field->pass, at, end, &is_null);
        if (at == NULL || is_null) {
            continue;
        }
        if (field->role != AVRO_ROLE_NONE) {
            note(e, &time, field, at, end);
        }
        at = avro_pass_value(&field->pass, at, end);
    }
    if (at == NULL) {
        return NULL;
    }
    e->source = (struct event_value){EVENT_VALUE_AVRO, source, slice_make(begin, (size_t)(at - begin))};
    e->commit_time_us = commit_time_us(&time);
    return at;
}

/** Moves behind a value of any type and notes its place. */
static const uint8_t *pass_noted(struct event_value *ret, const struct avro_type *type, const uint8_t *at,
                                 const uint8_t *end)
{
    struct cursor c = {at, end, false};
    type = avro_read_branch(&c, type);
    if (c.is_short || type->kind == AVRO_KIND_NULL) {
        return c.is_short ? NULL : c.at;
    }
    const uint8_t *behind = avro_pass_whole(type, c.at, end);
    if (behind != NULL) {
        *ret = (struct event_value){EVENT_VALUE_AVRO, type, slice_make(c.at, (size_t)(behind - c.at))};
    }
    return behind;
}

static const uint8_t *pass_op(struct event_view *e, const uint8_t *at, const uint8_t *end)
{
    struct cursor c = {at, end, false};
    struct slice text = avro_read_bytes(&c);
    if (c.is_short) {
        return NULL;
    }
    bool is_letter = text.size == 1 && text.data[0] >= 'a' && text.data[0] <= 'z';
    e->op = is_letter ? (char)text.data[0] : '\0';
    return is_letter ? c.at : NULL;
}

static const uint8_t *pass_member(struct event_view *e, const struct avro_field *field, const uint8_t *at,
                                  const uint8_t *end)
{
    switch (field->role) {
    case AVRO_ROLE_NONE:
        break;
    case AVRO_ROLE_OP:
        return pass_op(e, at, end);
    case AVRO_ROLE_BEFORE:
        return pass_noted(&e->before, field->type, at, end);
    case AVRO_ROLE_AFTER:
        return pass_noted(&e->after, field->type, at, end);
    case AVRO_ROLE_SOURCE:
        return pass_source(e, field->type, at, end);
    case AVRO_ROLE_NAME:
    case AVRO_ROLE_SCHEMA:
    case AVRO_ROLE_TABLE:
    case AVRO_ROLE_TS_MS:
    case AVRO_ROLE_TS_US:
        break;
    }
    return avro_pass_field(field, at, end);
}

bool event_view_read(const struct avro_type *type, struct slice avro, struct event_view *ret, struct fault *f)
{
    const uint8_t *at = avro.data;
    const uint8_t *end = avro.size > 0 ? at + avro.size : at;
    *ret = (struct event_view){
        .is_envelope = type->is_envelope, .op = 'c', .whole = {EVENT_VALUE_AVRO, type, avro}};
    if (!ret->is_envelope) {
        at = pass_noted(&ret->after, type, at, end);
    }
    for (size_t i = 0; ret->is_envelope && i < type->count && at != NULL; i++) {
        at = pass_member(ret, &type->fields[i], at, end);
    }
    if (at == NULL) {
        return fault_set(f, FAULT_REJECT, "Avro data: %s",
                         ret->op == '\0' ? "an envelope's op is not a single letter"
                                         : "it ends too soon, or does not match its schema");
    }
    return at == end || fault_set(f, FAULT_REJECT, "Avro data has %zu bytes too many", (size_t)(end - at));
}

bool event_value_append(struct bytes *out, const struct event_value *value,
                        const struct json_options *options, struct fault *f)
{
    switch (value->kind) {
    case EVENT_VALUE_NULL:
        bytes_append(out, "null", 4);
        return true;
    case EVENT_VALUE_AVRO:
        return json_encode_datum(value->type, value->bytes, options, out, f);
    case EVENT_VALUE_JSON:
        bytes_append_slice(out, value->bytes);
        return true;
    case EVENT_VALUE_TEXT:
        text_append_json(out, value->bytes);
        return true;
    }
    return true;
}

bool event_view_append(struct bytes *out, const struct event_view *e, const struct json_options *options,
                       struct fault *f)
{
    size_t size = out->size;
    bytes_append_string(out, "{\"op\":\"");
    bytes_append_byte(out, (uint8_t)e->op);
    bytes_append_string(out, "\",\"before\":");
    bool is_good = event_value_append(out, &e->before, options, f);
    bytes_append_string(out, ",\"after\":");
    is_good = is_good && event_value_append(out, &e->after, options, f);
    bytes_append_string(out, ",\"source\":");
    is_good = is_good && event_value_append(out, &e->source, options, f);
    bytes_append_byte(out, '}');
    out->size = is_good ? out->size : size;
    return is_good;
}

/** A member of the envelope; its rows and its source are known. */
static bool append_member(struct bytes *out, const struct event_view *e, const struct avro_field *field,
                          struct slice avro, const struct json_options *options, struct fault *f)
{
    switch (field->role) {
    case AVRO_ROLE_BEFORE:
        return event_value_append(out, &e->before, options, f);
    case AVRO_ROLE_AFTER:
        return event_value_append(out, &e->after, options, f);
    case AVRO_ROLE_SOURCE:
        return event_value_append(out, &e->source, options, f);
    case AVRO_ROLE_NONE:
    case AVRO_ROLE_OP:
    case AVRO_ROLE_NAME:
    case AVRO_ROLE_SCHEMA:
    case AVRO_ROLE_TABLE:
    case AVRO_ROLE_TS_MS:
    case AVRO_ROLE_TS_US:
        break;
    }
    return json_encode_datum(field->type, avro, options, out, f);
}

static bool append_members(struct bytes *out, const struct event_view *e, const struct json_options *options,
                           struct fault *f)
{
    const struct avro_type *type = e->whole.type;
    const uint8_t *at = e->whole.bytes.data;
    const uint8_t *end = at + e->whole.bytes.size;
    size_t begin = out->size;
    for (size_t i = 0; i < type->count; i++) {
        const uint8_t *behind = avro_pass_field(&type->fields[i], at, end);
        INVARIANT(behind != NULL);  // event_view_read has passed it
        bytes_append_padded(out, type->fields[i].label);
        if (!append_member(out, e, &type->fields[i], slice_make(at, (size_t)(behind - at)), options, f)) {
            out->size = begin;
            return false;
        }
        at = behind;
    }
    out->data[begin] = '{';  // instead of the first label's comma
    bytes_append_byte(out, '}');
    return true;
}

bool event_view_append_whole(struct bytes *out, const struct event_view *e,
                             const struct json_options *options, struct fault *f)
{
    if (e->whole.kind == EVENT_VALUE_NULL) {
        return event_view_append(out, e, options, f);
    }
    return e->is_envelope ? append_members(out, e, options, f)
                          : event_value_append(out, &e->whole, options, f);
}

bool event_view_encode(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct fault *f)
{
    struct event_view e;
    return event_view_read(type, avro, &e, f) && event_view_append(out, &e, options, f);
}
