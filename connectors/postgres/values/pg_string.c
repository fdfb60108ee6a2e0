// The binary forms: text, json and bytea are their bytes, jsonb a 1 and the text, uuid 16 bytes, "char" one
// byte (0: the empty text). The text form of bytea is \x and two hex digits for each byte (bytea_output=hex);
// other types' text is copied.
#include "connectors/postgres/values/pg_string.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

// Debezium's placeholder for uuid: the name-based (MD5) UUID of VALUE_PLACEHOLDER.
#define UNCHANGED_UUID "b68a35a7-17ad-35b3-af2a-ae46edb4545a"

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_string(out, text);
    return VALUE_DONE;
}

static int hex_digit(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    uint8_t letter = digit | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static enum value_step refuse_bytes(struct slice text, struct fault *f)
{
    int size = text.size > 64 ? 64 : (int)text.size;
    (void)fault_set(f, FAULT_REJECT, "not bytea in hex as PostgreSQL writes it: \"%.*s\"", size,
                    (const char *)text.data);
    return VALUE_FAULT;
}

static enum value_step append_bytes(struct bytes *out, const struct value_type *t, struct slice text,
                                    struct fault *f)
{
    (void)t;
    if (text.size < 2 || text.data[0] != '\\' || text.data[1] != 'x' || text.size % 2 != 0) {
        return refuse_bytes(text, f);
    }
    size_t size = text.size / 2 - 1;
    avro_encode_long(out, (int64_t)size);
    uint8_t *at = bytes_reserve(out, size);
    int bad = 0;
    for (size_t i = 0; i < size; i++) {
        int byte = hex_digit(text.data[2 + 2 * i]) * 16 | hex_digit(text.data[3 + 2 * i]);
        bad |= byte;
        at[i] = (uint8_t)byte;
    }
    out->size += size;
    return bad < 0 ? refuse_bytes(text, f) : VALUE_DONE;
}

static enum value_step append_bytes_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_string(out, data);
    return VALUE_DONE;
}

static void put_hex(struct bytes *out, const uint8_t *data, size_t size)
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t *at = bytes_reserve(out, 2 * size);
    for (size_t i = 0; i < size; i++) {
        *at++ = (uint8_t)HEX[data[i] >> 4];
        *at++ = (uint8_t)HEX[data[i] & 15];
    }
    out->size += 2 * size;
}

static enum value_step write_bytes(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    (void)t;
    (void)f;
    bytes_append_string(out, "\\x");
    put_hex(out, data.data, data.size);
    return VALUE_DONE;
}

static enum value_step write_uuid(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    static const uint8_t GROUPS[] = {4, 2, 2, 2, 6};
    if (data.size != 16) {
        return pg_write_refuse_binary("a uuid", data, f);
    }
    const uint8_t *at = data.data;
    for (size_t i = 0; i < sizeof(GROUPS); i++) {
        if (i > 0) {
            bytes_append_byte(out, '-');
        }
        put_hex(out, at, GROUPS[i]);
        at += GROUPS[i];
    }
    return VALUE_DONE;
}

static bool read_jsonb(struct slice data, struct slice *ret, struct fault *f)
{
    if (data.size == 0 || data.data[0] != 1) {
        (void)pg_write_refuse_binary("a jsonb of version 1", data, f);
        return false;
    }
    *ret = slice_make(data.data + 1, data.size - 1);
    return true;
}

static enum value_step append_jsonb_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    struct slice text;
    if (!read_jsonb(data, &text, f)) {
        return VALUE_FAULT;
    }
    avro_encode_string(out, text);
    return VALUE_DONE;
}

static enum value_step write_jsonb(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    (void)t;
    struct slice text;
    if (!read_jsonb(data, &text, f)) {
        return VALUE_FAULT;
    }
    bytes_append_slice(out, text);
    return VALUE_DONE;
}

// As charout of PostgreSQL 16: a byte that is not ASCII is three octal digits behind a backslash.
static enum value_step write_char(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    if (data.size != 1) {
        return pg_write_refuse_binary("a \"char\"", data, f);
    }
    if (data.data[0] >= 0x80) {
        bytes_format(out, "\\%03o", data.data[0]);
    } else if (data.data[0] != 0) {
        bytes_append_byte(out, data.data[0]);
    }
    return VALUE_DONE;
}

static void append_empty(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_placeholder(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of(VALUE_PLACEHOLDER));
}

static void append_placeholder_uuid(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of(UNCHANGED_UUID));
}

static void append_schema(struct bytes *out, const char *type, const char *name, struct slice default_json)
{
    type_schema_append(out, &(struct type_schema){.type = type, .name = name, .default_json = default_json});
}

static void append_text_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "string", NULL, default_json);
}

static void append_json_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "string", "io.debezium.data.Json", default_json);
}

static void append_xml_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                              struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "string", "io.debezium.data.Xml", default_json);
}

static void append_uuid_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "string", "io.debezium.data.Uuid", default_json);
}

static void append_bytes_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "bytes", NULL, default_json);
}

const struct type_ops PG_STRING_TEXT = {
    .append_text = append_text,
    .append_binary = append_bytes_binary,
    .write_text = pg_write_copy,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_default = pg_json_string,
    .append_schema = append_text_schema,
    .computed_default = "",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_OTHER = {
    .append_text = append_text,
    .append_binary = append_bytes_binary,
    .write_text = pg_write_copy,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_schema = append_text_schema,
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_CHAR = {
    .append_text = append_text,
    .append_binary = pg_write_binary_string,
    .write_text = write_char,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_schema = append_text_schema,
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_PLAIN = {
    .append_text = append_text,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_schema = append_text_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_STRING_NO_PLACEHOLDER = {
    .append_text = append_text,
    .append_zero = append_empty,
    .append_schema = append_text_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_STRING_JSON = {
    .append_text = append_text,
    .append_binary = append_bytes_binary,
    .write_text = pg_write_copy,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_default = pg_json_string,
    .append_schema = append_json_schema,
    .computed_default = "{}",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_JSONB = {
    .append_text = append_text,
    .append_binary = append_jsonb_binary,
    .write_text = write_jsonb,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_default = pg_json_string,
    .append_schema = append_json_schema,
    .computed_default = "{}",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_XML = {
    .append_text = append_text,
    .append_binary = append_bytes_binary,
    .write_text = pg_write_copy,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_default = pg_json_string,
    .append_schema = append_xml_schema,
    .computed_default = "",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_UUID = {
    .append_text = append_text,
    .append_binary = pg_write_binary_string,
    .write_text = write_uuid,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder_uuid,
    .append_default = pg_json_string,
    .append_schema = append_uuid_schema,
    .computed_default = "00000000-0000-0000-0000-000000000000",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_BYTES = {
    .append_text = append_bytes,
    .append_binary = append_bytes_binary,
    .write_text = write_bytes,
    .append_zero = append_empty,
    .append_placeholder = append_placeholder,
    .append_schema = append_bytes_schema,
    .array = &PG_ARRAY_PLACEHOLDER,
};
