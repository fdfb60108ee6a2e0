// Both forms: see pg_composite.c. In the text form a field is quoted as a whole or not at all; between the
// quotes
// "" and \\ stand for one.
#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_composite.h"
#include "connectors/postgres/values/pg_scratch.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"

// Takes the field at `*at` and the mark behind it. NULL data: NULL.
static bool take_field(struct slice text, size_t *at, struct bytes *plain, struct slice *ret)
{
    bytes_reset(plain);
    bool is_quoted = *at < text.size && text.data[*at] == '"';
    *at += is_quoted ? 1 : 0;
    for (; *at < text.size; ++*at) {
        uint8_t byte = text.data[*at];
        bool is_mark = byte == '"' || byte == '\\';
        bool is_doubled = is_mark && *at + 1 < text.size && text.data[*at + 1] == byte;
        if (is_quoted ? byte == '"' && !is_doubled : byte == ',' || byte == ')') {
            break;
        }
        *at += is_doubled ? 1 : 0;
        bytes_append_byte(plain, byte);
    }
    *at += is_quoted ? 1 : 0;
    bool is_null = !is_quoted && plain->size == 0;
    *ret = is_null ? (struct slice){NULL, 0} : slice_make(bytes_text(plain), plain->size);
    return *at < text.size && (text.data[*at] == ',' || text.data[*at] == ')');
}

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    CLEANUP(pg_scratch_give) struct bytes *plain = pg_scratch_take();
    size_t at = 1;
    enum value_step step = VALUE_DONE;
    bool is_bad = text.size < 2 || text.data[0] != '(' || text.data[text.size - 1] != ')';
    for (size_t i = 0; i < t->field_count && !is_bad && (step == VALUE_DONE || step == VALUE_STALE); i++) {
        struct slice field;
        is_bad =
            !take_field(text, &at, plain, &field) || text.data[at] != (i + 1 < t->field_count ? ',' : ')');
        at++;
        avro_encode_long(out, field.data == NULL ? 0 : 1);  // the union's branch
        if (field.data != NULL && !is_bad) {
            enum value_step one = t->fields[i].ops->append_text(out, &t->fields[i], field, f);
            step = one == VALUE_DONE ? step : one;
        }
    }
    is_bad = is_bad || ((step == VALUE_DONE || step == VALUE_STALE) && t->field_count > 0 && at != text.size);
    return is_bad ? pg_write_refuse("a value of this version of the composite type", text, f) : step;
}

static enum value_step append_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    struct cursor at = cursor_over(data);
    if (cursor_u32(&at) != t->field_count) {
        return pg_write_refuse_binary("a value of this version of the composite type", data, f);
    }
    enum value_step step = VALUE_DONE;
    for (size_t i = 0; i < t->field_count && (step == VALUE_DONE || step == VALUE_STALE); i++) {
        (void)cursor_u32(&at);  // the field's oid
        uint32_t size = cursor_u32(&at);
        bool is_null = size == UINT32_MAX;
        avro_encode_long(out, is_null ? 0 : 1);
        struct slice value = is_null ? (struct slice){NULL, 0} : cursor_take(&at, size);
        if (at.is_short) {
            break;
        }
        enum value_step one =
            is_null ? VALUE_DONE : t->fields[i].ops->append_binary(out, &t->fields[i], value, f);
        step = one == VALUE_DONE ? step : one;
    }
    bool is_whole = !at.is_short && cursor_left(&at) == 0;
    return is_whole || step == VALUE_NONE || step == VALUE_FAULT
               ? step
               : pg_write_refuse_binary("a composite value", data, f);
}

static void append_zero(struct bytes *out, const struct value_type *t)
{
    for (size_t i = 0; i < t->field_count; i++) {
        avro_encode_long(out, 0);  // null
    }
}

// The type's "schema.name", each part as an Avro name.
static void append_full_name(struct bytes *out, const struct value_type *t)
{
    const char *dot = strchr(t->name, '.');
    CLEANUP(memory_free_pointer)
    char *space =
        dot == NULL ? memory_string("public") : slice_to_string(slice_make(t->name, (size_t)(dot - t->name)));
    avro_schema_adjust_name(out, space);
    bytes_append_byte(out, '.');
    avro_schema_adjust_name(out, dot == NULL ? t->name : dot + 1);
}

static const char *field_name_at(const void *self, size_t i)
{
    return ((const struct value_type *)self)->field_names.items[i];
}

static void append_field(struct bytes *out, const struct value_type *t, size_t i,
                         struct schema_names *io_names)
{
    const struct avro_schema_members fields = {field_name_at, t, t->field_count};
    bytes_append_string(out, i > 0 ? ",{\"name\":\"" : "{\"name\":\"");
    avro_schema_member_name(out, &fields, i);
    bytes_append_string(out, "\",\"type\":[\"null\",");
    t->fields[i].ops->append_schema(out, &t->fields[i], (struct slice){NULL, 0}, io_names);
    bytes_append_string(out, "],\"default\":null}");
}

static void append_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names)
{
    (void)default_json;
    CLEANUP(bytes_clear) struct bytes wanted = {0};
    CLEANUP(bytes_clear) struct bytes name = {0};
    append_full_name(&wanted, t);
    if (!schema_names_choose(io_names, bytes_text(&wanted), t->oid, &name)) {
        bytes_format(out, "\"%s\"", bytes_text(&name));
        return;
    }
    char *last = strrchr(bytes_text(&name), '.');
    bytes_format(out, "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":\"%.*s\",\"fields\":[", last + 1,
                 (int)(last - (const char *)name.data), (const char *)name.data);
    for (size_t i = 0; i < t->field_count; i++) {
        append_field(out, t, i, io_names);
    }
    bytes_append_string(out, "]}");
}

const struct type_ops PG_COMPOSITE_RECORD = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = pg_composite_write_text,
    .append_zero = append_zero,
    .append_placeholder = NULL,
    .append_schema = append_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
