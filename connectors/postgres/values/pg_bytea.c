// The text form is \x and two hex digits for each byte (bytea_output=hex), the binary form the bytes.
#include "connectors/postgres/values/pg_bytea.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum { LONG_SIZE_MAX = 10 };

static int hex_digit(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    uint8_t letter = digit | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// Whether the text begins as bytea does; *ret_size: of the value.
static bool measure(struct slice text, size_t *ret_size)
{
    *ret_size = text.size / 2 - 1;
    return text.size >= 2 && text.data[0] == '\\' && text.data[1] == 'x' && text.size % 2 == 0;
}

static bool decode(struct slice text, uint8_t *to, size_t size)
{
    int bad = 0;
    for (size_t i = 0; i < size; i++) {
        int byte = hex_digit(text.data[2 + 2 * i]) * 16 | hex_digit(text.data[3 + 2 * i]);
        bad |= byte;
        to[i] = (uint8_t)byte;
    }
    return bad >= 0;
}

static enum value_step append_bytes(struct bytes *out, const struct value_type *t, struct slice text,
                                    struct fault *f)
{
    (void)t;
    size_t size;
    if (!measure(text, &size)) {
        return pg_write_refuse("bytea in hex", text, f);
    }
    avro_encode_long(out, (int64_t)size);
    uint8_t *at = bytes_reserve(out, size);
    out->size += size;
    return decode(text, at, size) ? VALUE_DONE : pg_write_refuse("bytea in hex", text, f);
}

static enum value_step append_bytes_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_string(out, data);
    return VALUE_DONE;
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    (void)f;
    bytes_append_string(out, "\\x");
    text_append_hex(out, data);
    return VALUE_DONE;
}

// The text form's digits are the value, in lower case.
static enum value_step append_hex(struct bytes *out, const struct value_type *t, struct slice text,
                                  struct fault *f)
{
    (void)t;
    size_t size;
    bool is_good = measure(text, &size);
    for (size_t i = 2; is_good && i < text.size; i++) {
        is_good = hex_digit(text.data[i]) >= 0;
    }
    if (!is_good) {
        return pg_write_refuse("bytea in hex", text, f);
    }
    avro_encode_string(out, slice_make(text.data + 2, text.size - 2));
    return VALUE_DONE;
}

static enum value_step append_hex_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                         struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_long(out, (int64_t)(2 * data.size));
    text_append_hex(out, data);
    return VALUE_DONE;
}

// RFC 4648 with padding. `data` may lie in the memory behind the buffer's end that is reserved and not yet
// written: at least a third of its size behind what is appended.
static void append_base64_of(struct bytes *out, struct slice data)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = (data.size + 2) / 3 * 4;
    avro_encode_long(out, (int64_t)size);
    uint8_t *to = bytes_reserve(out, size);
    for (size_t i = 0; i < data.size; i += 3) {
        size_t left = data.size - i;
        uint32_t three = (uint32_t)data.data[i] << 16 | (left > 1 ? (uint32_t)data.data[i + 1] << 8 : 0) |
                         (left > 2 ? data.data[i + 2] : 0);
        *to++ = (uint8_t)DIGITS[three >> 18];
        *to++ = (uint8_t)DIGITS[three >> 12 & 63];
        *to++ = left > 1 ? (uint8_t)DIGITS[three >> 6 & 63] : '=';
        *to++ = left > 2 ? (uint8_t)DIGITS[three & 63] : '=';
    }
    out->size += size;
}

static enum value_step append_base64(struct bytes *out, const struct value_type *t, struct slice text,
                                     struct fault *f)
{
    (void)t;
    size_t size;
    if (!measure(text, &size)) {
        return pg_write_refuse("bytea in hex", text, f);
    }
    size_t room = (size + 2) / 3 * 4 + LONG_SIZE_MAX;
    uint8_t *raw = bytes_reserve(out, room + size) + room;
    if (!decode(text, raw, size)) {
        return pg_write_refuse("bytea in hex", text, f);
    }
    append_base64_of(out, slice_make(raw, size));
    return VALUE_DONE;
}

static enum value_step append_base64_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                            struct fault *f)
{
    (void)t;
    (void)f;
    append_base64_of(out, data);
    return VALUE_DONE;
}

// As Debezium: the placeholder's bytes in the column's own form.
static void append_unchanged_hex(struct bytes *out, const struct value_type *t)
{
    struct fault f;
    (void)append_hex_binary(out, t, slice_of(VALUE_PLACEHOLDER), &f);
}

static void append_unchanged_base64(struct bytes *out, const struct value_type *t)
{
    (void)t;
    append_base64_of(out, slice_of(VALUE_PLACEHOLDER));
}

static void append_bytes_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "bytes", .default_json = default_json});
}

const struct type_ops PG_BYTEA_BYTES = {
    .append_text = append_bytes,
    .append_binary = append_bytes_binary,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = append_bytes_schema,
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_BYTEA_BASE64 = {
    .append_text = append_base64,
    .append_binary = append_base64_binary,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = append_unchanged_base64,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_BYTEA_HEX = {
    .append_text = append_hex,
    .append_binary = append_hex_binary,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = append_unchanged_hex,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_PLACEHOLDER,
};
