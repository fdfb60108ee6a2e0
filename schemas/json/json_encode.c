#include "schemas/json/json_encode.h"

#include "core/base/clock.h"
#include "schemas/json/json_text.h"
#include "schemas/json/json_walk.h"

bool json_encode_datum(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct fault *f)
{
    struct json_walk w;
    size_t before = out->size;
    json_walk_begin(&w, avro, options, out);
    json_walk_value(&w, type);
    if (!json_walk_finish(&w, f)) {
        out->size = before;
        return false;
    }
    return true;
}

// Appends the value and returns its span; size 0 for null.
static struct json_span encode_spanned(struct json_walk *w, const struct avro_type *type)
{
    struct json_span span = {w->out->size, 0};
    json_walk_value(w, type);
    span.size = w->out->size - span.at;
    if (span.size == 4 && memcmp(w->out->data + span.at, "null", 4) == 0) {
        span.size = 0;
    }
    return span;
}

// The span of a JSON string without its quotes; empty for any other value.
static struct json_span without_quotes(const struct json_walk *w, struct json_span span)
{
    if (span.size < 2 || w->out->data[span.at] != '"') {
        return (struct json_span){span.at, 0};
    }
    return (struct json_span){span.at + 1, span.size - 2};
}

// The commit time, from a source that may have it in two fields.
struct source_time {
    int64_t us;
    int64_t ms;
};

static void note_time(struct source_time *time, const struct json_walk *w, const struct avro_field *field)
{
    if (field->role == AVRO_ROLE_TS_US) {
        time->us = json_walk_peek_long(w, field->type);
    } else if (field->role == AVRO_ROLE_TS_MS) {
        time->ms = json_walk_peek_long(w, field->type);
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

static void encode_source(struct json_walk *w, const struct avro_type *source, struct json_event *event)
{
    struct source_time time = {0};
    bytes_append_byte(w->out, '{');
    for (size_t i = 0; i < source->count && !json_walk_has_failed(w); i++) {
        const struct avro_field *field = &source->fields[i];
        if (i > 0) {
            bytes_append_byte(w->out, ',');
        }
        bytes_append_slice(w->out, field->label);
        note_time(&time, w, field);
        struct json_span span = encode_spanned(w, field->type);
        if (field->role == AVRO_ROLE_NAME) {
            event->prefix = without_quotes(w, span);
        } else if (field->role == AVRO_ROLE_SCHEMA) {
            event->schema = without_quotes(w, span);
        } else if (field->role == AVRO_ROLE_TABLE) {
            event->table = without_quotes(w, span);
        }
    }
    bytes_append_byte(w->out, '}');
    event->commit_time_us = commit_time_us(&time);
}

// Appends the names of the table, and nothing else of the source.
static void encode_table(struct json_walk *w, const struct avro_type *source, struct json_event *event)
{
    struct source_time time = {0};
    for (size_t i = 0; i < source->count && !json_walk_has_failed(w); i++) {
        const struct avro_field *field = &source->fields[i];
        note_time(&time, w, field);
        if (field->role == AVRO_ROLE_SCHEMA) {
            event->schema = without_quotes(w, encode_spanned(w, field->type));
        } else if (field->role == AVRO_ROLE_TABLE) {
            event->table = without_quotes(w, encode_spanned(w, field->type));
        } else {
            json_walk_skip(w, field->type);
        }
    }
    event->commit_time_us = commit_time_us(&time);
}

static void encode_op(struct json_walk *w, struct json_event *event)
{
    struct slice op = json_walk_string(w);
    if (op.size != 1 || op.data[0] < 'a' || op.data[0] > 'z') {
        json_walk_fail(w, "an envelope's op is not a single character");
        return;
    }
    event->op = (char)op.data[0];
}

static void encode_field(struct json_walk *w, const struct avro_field *field, struct json_event *event)
{
    bool is_kept = field->role == AVRO_ROLE_BEFORE || field->role == AVRO_ROLE_AFTER;
    if (field->role == AVRO_ROLE_OP) {
        encode_op(w, event);
    } else if (field->role == AVRO_ROLE_SOURCE) {
        bytes_append_byte(w->out, ',');
        bytes_append_slice(w->out, field->label);
        encode_source(w, field->type, event);
    } else if (is_kept) {
        bytes_append_byte(w->out, ',');
        bytes_append_slice(w->out, field->label);
        struct json_span span = encode_spanned(w, field->type);
        *(field->role == AVRO_ROLE_BEFORE ? &event->before : &event->after) = span;
    } else {
        json_walk_skip(w, field->type);
    }
}

// The JSON begins with op, which the schema has later: its value is filled in once it has been read. The
// other members keep the schema's order.
static void encode_envelope(struct json_walk *w, const struct avro_type *type, struct json_event *event)
{
    static const char OPENING[] = "{\"op\":\"?\"";
    bool has_source = false;
    bytes_append(w->out, OPENING, sizeof OPENING - 1);
    size_t op_at = w->out->size - 2;
    for (size_t i = 0; i < type->count && !json_walk_has_failed(w); i++) {
        has_source |= type->fields[i].role == AVRO_ROLE_SOURCE;
        encode_field(w, &type->fields[i], event);
    }
    bytes_append_string(w->out, has_source ? "}" : ",\"source\":null}");
    w->out->data[op_at] = (uint8_t)event->op;
}

static void encode_plain(struct json_walk *w, const struct avro_type *type, struct json_event *event)
{
    event->op = 'c';
    bytes_append_string(w->out, "{\"op\":\"c\",\"before\":null,\"after\":");
    event->after = encode_spanned(w, type);
    bytes_append_string(w->out, ",\"source\":null}");
}

// `before` comes first, and is needed only if `after` is null: it is skipped, and read at the end.
static void encode_row(struct json_walk *w, const struct avro_type *type, struct json_event *event)
{
    const struct avro_type *before = NULL;
    struct cursor before_in = {0};
    for (size_t i = 0; i < type->count && !json_walk_has_failed(w); i++) {
        const struct avro_field *field = &type->fields[i];
        if (field->role == AVRO_ROLE_OP) {
            encode_op(w, event);
        } else if (field->role == AVRO_ROLE_SOURCE) {
            encode_table(w, field->type, event);
        } else if (field->role == AVRO_ROLE_AFTER) {
            event->after = encode_spanned(w, field->type);
        } else {
            before = field->role == AVRO_ROLE_BEFORE ? field->type : before;
            before_in = field->role == AVRO_ROLE_BEFORE ? w->in : before_in;
            json_walk_skip(w, field->type);
        }
    }
    if (event->after.size == 0 && before != NULL && !json_walk_has_failed(w)) {
        struct cursor end = w->in;
        w->in = before_in;
        event->before = encode_spanned(w, before);
        end.is_short = w->in.is_short;
        w->in = end;
    }
}

static void encode_plain_row(struct json_walk *w, const struct avro_type *type, struct json_event *event)
{
    event->op = 'c';
    event->after = encode_spanned(w, type);
}

// Returns the event, unless the bytes do not match the schema.
static bool finish(const struct json_walk *w, size_t size_before, const struct json_event *event,
                   struct json_event *ret, struct fault *f)
{
    if (!json_walk_finish(w, f)) {
        w->out->size = size_before;
        return false;
    }
    *ret = *event;
    return true;
}

bool json_encode_event(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct json_event *ret, struct fault *f)
{
    struct json_walk w;
    size_t before = out->size;
    struct json_event event = {.is_envelope = type->is_envelope};
    json_walk_begin(&w, avro, options, out);
    if (event.is_envelope) {
        encode_envelope(&w, type, &event);
    } else {
        encode_plain(&w, type, &event);
    }
    event.data = (struct json_span){before, out->size - before};
    return finish(&w, before, &event, ret, f);
}

bool json_encode_row(const struct avro_type *type, struct slice avro, const struct json_options *options,
                     struct bytes *out, struct json_event *ret, struct fault *f)
{
    struct json_walk w;
    size_t before = out->size;
    struct json_event event = {.is_envelope = type->is_envelope};
    json_walk_begin(&w, avro, options, out);
    if (event.is_envelope) {
        encode_row(&w, type, &event);
    } else {
        encode_plain_row(&w, type, &event);
    }
    return finish(&w, before, &event, ret, f);
}
