// Quoting follows array_out, record_out and range_bound_escape of PostgreSQL.
#include "connectors/postgres/values/pg_write.h"

#include <strings.h>

#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    LONG_SIZE_MAX = 10,
    SHOWN_SIZE_MAX = 64,  // bytes of a value in an error message
};

enum value_step pg_write_text_string(struct bytes *out, const struct value_type *t, struct slice text,
                                     struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_string(out, text);
    return VALUE_DONE;
}

void pg_write_length(struct bytes *out, size_t begin)
{
    size_t size = out->size - begin;
    (void)bytes_reserve(out, LONG_SIZE_MAX);
    size_t head = 1;
    for (uint64_t n = (uint64_t)size << 1; n >= 0x80; n >>= 7) {
        head++;
    }
    memmove(out->data + begin + head, out->data + begin, size);
    out->size = begin;
    avro_encode_long(out, (int64_t)size);
    out->size += size;
}

enum value_step pg_write_binary_string(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f)
{
    size_t begin = out->size;
    enum value_step step = t->ops->write_text(out, t, data, f);
    if (step == VALUE_DONE) {
        pg_write_length(out, begin);
    }
    return step;
}

enum value_step pg_write_copy(struct bytes *out, const struct value_type *t, struct slice data,
                              struct fault *f)
{
    (void)t;
    (void)f;
    bytes_append_slice(out, data);
    return VALUE_DONE;
}

void pg_write_empty(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

void pg_write_unchanged(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of(VALUE_PLACEHOLDER));
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool needs_quotes(uint8_t byte, enum pg_quoting container, char delimiter)
{
    if (byte == '"' || byte == '\\' || is_space(byte)) {
        return true;
    }
    switch (container) {
    case PG_QUOTING_ARRAY:
        return byte == '{' || byte == '}' || byte == (uint8_t)delimiter;
    case PG_QUOTING_COMPOSITE:
        return byte == '(' || byte == ')' || byte == ',';
    case PG_QUOTING_RANGE:
        return byte == '(' || byte == ')' || byte == '[' || byte == ']' || byte == ',';
    }
    return false;
}

void pg_write_quote(struct bytes *out, size_t begin, enum pg_quoting container, char delimiter)
{
    size_t size = out->size - begin;
    size_t escapes = 0;
    bool is_quoted = size == 0;
    for (size_t i = begin; i < out->size; i++) {
        uint8_t byte = out->data[i];
        is_quoted = is_quoted || needs_quotes(byte, container, delimiter);
        escapes += byte == '"' || byte == '\\' ? 1 : 0;
    }
    is_quoted = is_quoted || (container == PG_QUOTING_ARRAY && size == 4 &&
                              strncasecmp((const char *)out->data + begin, "NULL", 4) == 0);
    if (!is_quoted) {
        return;
    }
    (void)bytes_reserve(out, escapes + 2);
    uint8_t *from = out->data + begin + size;
    uint8_t *to = from + escapes + 2;
    out->size += escapes + 2;
    *--to = '"';
    while (from > out->data + begin) {
        uint8_t byte = *--from;
        *--to = byte;
        if (byte == '"' || byte == '\\') {
            *--to = container == PG_QUOTING_ARRAY ? '\\' : byte;
        }
    }
    *--to = '"';
}

enum value_step pg_write_refuse(const char *what, struct slice text, struct fault *f)
{
    int size = text.size > SHOWN_SIZE_MAX ? SHOWN_SIZE_MAX : (int)text.size;
    (void)fault_set(f, FAULT_REJECT, "not %s as PostgreSQL writes it: \"%.*s\"", what, size,
                    (const char *)text.data);
    return VALUE_FAULT;
}

enum value_step pg_write_refuse_binary(const char *what, struct slice data, struct fault *f)
{
    char hex[SHOWN_SIZE_MAX + 1] = "";
    for (size_t i = 0; i < data.size && 2 * i + 2 <= SHOWN_SIZE_MAX; i++) {
        hex[2 * i] = "0123456789abcdef"[data.data[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[data.data[i] & 15];
        hex[2 * i + 2] = '\0';
    }
    (void)fault_set(f, FAULT_REJECT, "not %s in PostgreSQL's binary form (%zu bytes): %s", what, data.size,
                    hex);
    return VALUE_FAULT;
}

void pg_write_schema_string(struct bytes *out, const struct value_type *t, struct slice default_json,
                            struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string", .default_json = default_json});
}

void pg_write_schema_record(struct bytes *out, const char *full_name, const char *schema, const char *space,
                            struct schema_names *io_names)
{
    if (schema_names_add(io_names, full_name)) {
        bytes_append_string(out, schema);
        return;
    }
    size_t size = strlen(space);
    bool is_inside = size > 0 && strncmp(full_name, space, size) == 0 && full_name[size] == '.';
    bytes_format(out, "\"%s\"", is_inside ? full_name + size + 1 : full_name);
}
