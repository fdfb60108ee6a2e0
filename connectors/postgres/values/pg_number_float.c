// The binary form is IEEE 754, big-endian. The text form has enough digits to restore the value
// (extra_float_digits), or is NaN, Infinity or -Infinity.
#include <math.h>
#include <stdlib.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_float.h"
#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_number_read.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum { FLOAT_SIZE_MAX = 64 };

// Copies the text, so that it ends with a NUL.
static bool copy_float(char *copy, struct slice text, struct fault *f)
{
    if (text.size == 0 || text.size >= FLOAT_SIZE_MAX) {
        (void)pg_write_refuse("a float", text, f);
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return true;
}

static enum value_step append_float32(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    (void)t;
    char copy[FLOAT_SIZE_MAX];
    char *end;
    if (!copy_float(copy, text, f)) {
        return VALUE_FAULT;
    }
    avro_encode_float(out, strtof(copy, &end));
    return end == copy + text.size ? VALUE_DONE : pg_write_refuse("a float", text, f);
}

static enum value_step append_float64(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    (void)t;
    char copy[FLOAT_SIZE_MAX];
    char *end;
    if (!copy_float(copy, text, f)) {
        return VALUE_FAULT;
    }
    avro_encode_double(out, strtod(copy, &end));
    return end == copy + text.size ? VALUE_DONE : pg_write_refuse("a float", text, f);
}

// The processor's NaN may have a sign (infinity minus infinity). The text form has one NaN, and so has this.
static bool read_float32(struct slice data, float *ret)
{
    uint32_t bits;
    if (!pg_number_read_32(data, &bits)) {
        return false;
    }
    memcpy(ret, &bits, sizeof(bits));
    *ret = isnan(*ret) ? NAN : *ret;
    return true;
}

static bool read_float64(struct slice data, double *ret)
{
    uint64_t bits;
    if (!pg_number_read_64(data, &bits)) {
        return false;
    }
    memcpy(ret, &bits, sizeof(bits));
    *ret = isnan(*ret) ? (double)NAN : *ret;
    return true;
}

static enum value_step append_float32_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    (void)t;
    float value;
    if (!read_float32(data, &value)) {
        return pg_write_refuse_binary("a float4", data, f);
    }
    avro_encode_float(out, value);
    return VALUE_DONE;
}

static enum value_step write_float32(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    (void)t;
    float value;
    if (!read_float32(data, &value)) {
        return pg_write_refuse_binary("a float4", data, f);
    }
    pg_float_write_float(out, value);
    return VALUE_DONE;
}

static enum value_step append_float64_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    (void)t;
    double value;
    if (!read_float64(data, &value)) {
        return pg_write_refuse_binary("a float8", data, f);
    }
    avro_encode_double(out, value);
    return VALUE_DONE;
}

static enum value_step write_float64(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    (void)t;
    double value;
    if (!read_float64(data, &value)) {
        return pg_write_refuse_binary("a float8", data, f);
    }
    pg_float_write_double(out, value);
    return VALUE_DONE;
}

static void append_float32_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_float(out, 0);
}

static void append_float64_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_double(out, 0);
}

// As Java writes it: 0.0 instead of 0. JSON has no NaN and no infinities.
static enum value_step append_float_default(struct bytes *out, const struct value_type *t, struct slice text,
                                            struct fault *f)
{
    (void)t;
    char copy[FLOAT_SIZE_MAX];
    if (!copy_float(copy, text, f)) {
        return VALUE_FAULT;
    }
    if (strspn(copy, "0123456789.-+eE") != text.size) {
        return pg_write_refuse("a number that JSON has", text, f);
    }
    bytes_append_string(out, copy);
    if (strpbrk(copy, ".eE") == NULL) {
        bytes_append_string(out, ".0");
    }
    return VALUE_DONE;
}

static void append_float32_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "float", .default_json = default_json});
}

static void append_float64_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "double", .default_json = default_json});
}

const struct type_ops PG_NUMBER_FLOAT32 = {
    .append_text = append_float32,
    .append_binary = append_float32_binary,
    .write_text = write_float32,
    .append_zero = append_float32_zero,
    .append_default = append_float_default,
    .append_schema = append_float32_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMBER_FLOAT64 = {
    .append_text = append_float64,
    .append_binary = append_float64_binary,
    .write_text = write_float64,
    .append_zero = append_float64_zero,
    .append_default = append_float_default,
    .append_schema = append_float64_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
