// The binary forms: integers in two's complement, big-endian; booleans a byte, 0 or 1. The text forms:
// integers in decimal; booleans `t` and `f`.
#include "connectors/postgres/values/pg_number.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_number_read.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum { SAFE_DIGITS = 18 };  // numbers of this many digits fit an int64_t

static inline enum value_step append_integer(struct bytes *out, struct slice text, int64_t min, int64_t max,
                                             struct fault *f)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.size == 0 ? at : at + text.size;
    bool is_negative = at < end && *at == '-';
    at += is_negative ? 1 : 0;
    bool is_bad = at == end;
    int64_t value = 0;
    for (; end - at <= SAFE_DIGITS && at < end && !is_bad; at++) {
        int digit = *at - '0';
        is_bad = digit < 0 || digit > 9;
        value = value * 10 - digit;
    }
    for (; at < end && !is_bad; at++) {
        int digit = *at - '0';
        is_bad = digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
                 __builtin_sub_overflow(value, digit, &value);
    }
    // Accumulated as a negative number, because INT64_MIN has no positive counterpart.
    is_bad = is_bad || (!is_negative && __builtin_sub_overflow(INT64_C(0), value, &value));
    if (is_bad || value < min || value > max) {
        return pg_write_refuse("an integer", text, f);
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static enum value_step append_int16(struct bytes *out, const struct value_type *t, struct slice text,
                                    struct fault *f)
{
    (void)t;
    return append_integer(out, text, INT16_MIN, INT16_MAX, f);
}

static enum value_step append_int32(struct bytes *out, const struct value_type *t, struct slice text,
                                    struct fault *f)
{
    (void)t;
    return append_integer(out, text, INT32_MIN, INT32_MAX, f);
}

static enum value_step append_int64(struct bytes *out, const struct value_type *t, struct slice text,
                                    struct fault *f)
{
    (void)t;
    return append_integer(out, text, INT64_MIN, INT64_MAX, f);
}

static enum value_step append_boolean(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    (void)t;
    if (text.size != 1 || (text.data[0] != 't' && text.data[0] != 'f')) {
        return pg_write_refuse("a boolean", text, f);
    }
    avro_encode_boolean(out, text.data[0] == 't');
    return VALUE_DONE;
}

static bool read_boolean(struct slice data, bool *ret)
{
    *ret = data.size == 1 && data.data[0] == 1;
    return data.size == 1 && data.data[0] <= 1;
}

static enum value_step append_int16_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    int16_t value;
    if (!pg_number_read_16(data, &value)) {
        return pg_write_refuse_binary("an int2", data, f);
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static enum value_step write_int16(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    (void)t;
    int16_t value;
    if (!pg_number_read_16(data, &value)) {
        return pg_write_refuse_binary("an int2", data, f);
    }
    bytes_format(out, "%d", value);
    return VALUE_DONE;
}

static enum value_step append_int32_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    uint32_t value;
    if (!pg_number_read_32(data, &value)) {
        return pg_write_refuse_binary("an int4", data, f);
    }
    avro_encode_long(out, (int32_t)value);
    return VALUE_DONE;
}

static enum value_step write_int32(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    (void)t;
    uint32_t value;
    if (!pg_number_read_32(data, &value)) {
        return pg_write_refuse_binary("an int4", data, f);
    }
    bytes_format(out, "%d", (int32_t)value);
    return VALUE_DONE;
}

static enum value_step append_int64_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    uint64_t value;
    if (!pg_number_read_64(data, &value)) {
        return pg_write_refuse_binary("an int8", data, f);
    }
    avro_encode_long(out, (int64_t)value);
    return VALUE_DONE;
}

static enum value_step write_int64(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    (void)t;
    uint64_t value;
    if (!pg_number_read_64(data, &value)) {
        return pg_write_refuse_binary("an int8", data, f);
    }
    bytes_format(out, "%lld", (long long)value);
    return VALUE_DONE;
}

static enum value_step append_oid_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                         struct fault *f)
{
    (void)t;
    uint32_t value;
    if (!pg_number_read_32(data, &value)) {
        return pg_write_refuse_binary("an oid", data, f);
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static enum value_step write_oid(struct bytes *out, const struct value_type *t, struct slice data,
                                 struct fault *f)
{
    (void)t;
    uint32_t value;
    if (!pg_number_read_32(data, &value)) {
        return pg_write_refuse_binary("an oid", data, f);
    }
    bytes_format(out, "%u", value);
    return VALUE_DONE;
}

static enum value_step append_boolean_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    (void)t;
    bool value;
    if (!read_boolean(data, &value)) {
        return pg_write_refuse_binary("a bool", data, f);
    }
    avro_encode_boolean(out, value);
    return VALUE_DONE;
}

static enum value_step write_boolean(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    (void)t;
    bool value;
    if (!read_boolean(data, &value)) {
        return pg_write_refuse_binary("a bool", data, f);
    }
    bytes_append_byte(out, value ? 't' : 'f');
    return VALUE_DONE;
}

static void append_integer_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_boolean_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_boolean(out, false);
}

static enum value_step append_boolean_default(struct bytes *out, const struct value_type *t,
                                              struct slice text, struct fault *f)
{
    (void)t;
    (void)f;
    bytes_append_string(out, slice_equal(text, slice_of("t")) ? "true" : "false");
    return VALUE_DONE;
}

static void append_schema(struct bytes *out, const char *type, const char *connect_type,
                          struct slice default_json)
{
    type_schema_append(
        out, &(struct type_schema){.type = type, .connect_type = connect_type, .default_json = default_json});
}

static void append_boolean_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "boolean", NULL, default_json);
}

static void append_int16_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "int", "int16", default_json);
}

static void append_int32_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "int", NULL, default_json);
}

static void append_int64_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "long", NULL, default_json);
}

const struct type_ops PG_NUMBER_BOOLEAN = {
    .append_text = append_boolean,
    .append_binary = append_boolean_binary,
    .write_text = write_boolean,
    .append_zero = append_boolean_zero,
    .append_default = append_boolean_default,
    .append_schema = append_boolean_schema,
    .computed_default = "f",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMBER_INT16 = {
    .append_text = append_int16,
    .append_binary = append_int16_binary,
    .write_text = write_int16,
    .append_zero = append_integer_zero,
    .append_default = pg_json_long,
    .append_schema = append_int16_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMBER_INT32 = {
    .append_text = append_int32,
    .append_binary = append_int32_binary,
    .write_text = write_int32,
    .append_zero = append_integer_zero,
    .append_default = pg_json_long,
    .append_schema = append_int32_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_PLACEHOLDER_CODES,
};
const struct type_ops PG_NUMBER_INT64 = {
    .append_text = append_int64,
    .append_binary = append_int64_binary,
    .write_text = write_int64,
    .append_zero = append_integer_zero,
    .append_default = pg_json_long,
    .append_schema = append_int64_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_PLACEHOLDER_CODES,
};
const struct type_ops PG_NUMBER_OID = {
    .append_text = append_int64,
    .append_binary = append_oid_binary,
    .write_text = write_oid,
    .append_zero = append_integer_zero,
    .append_schema = append_int64_schema,
    .array = &PG_ARRAY_PLACEHOLDER_CODES,
};
