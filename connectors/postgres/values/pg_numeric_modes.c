#include "connectors/postgres/values/pg_numeric_modes.h"

#include <stdlib.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_numeric_binary.h"
#include "connectors/postgres/values/pg_numeric_text.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    DOUBLE_SIZE = 8,
    FLOAT_TEXT_MAX = 128,
    EXACT_POWER_MAX = 22,  // 10^22 is the greatest power of ten that a double has
};

#define EXACT_DOUBLE_MAX (INT64_C(1) << 53)

static bool is_number(struct slice text)
{
    struct pg_numeric_text n;
    struct fault f;
    return pg_numeric_text_read(text, &n, &f) != VALUE_FAULT;
}

static enum value_step append_double(struct bytes *out, const struct value_type *t, struct slice text,
                                     struct fault *f)
{
    (void)t;
    if (!is_number(text)) {
        return pg_write_refuse("a numeric", text, f);
    }
    char short_copy[FLOAT_TEXT_MAX];
    CLEANUP(memory_free_pointer) char *long_copy = NULL;
    char *copy = short_copy;
    if (text.size >= sizeof(short_copy)) {
        long_copy = slice_to_string(text);
        copy = long_copy;
    } else {
        memcpy(copy, text.data, text.size);
        copy[text.size] = '\0';
    }
    avro_encode_double(out, strtod(copy, NULL));
    return VALUE_DONE;
}

static double power_of_ten(int power)
{
    static const double POWERS[EXACT_POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    return POWERS[power];
}

// A number of up to 53 bits times or divided by an exact power of ten is rounded once, as strtod rounds.
static enum value_step append_double_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                            struct fault *f)
{
    struct pg_numeric_binary n;
    if (!pg_numeric_binary_read(data, &n, f)) {
        return VALUE_FAULT;
    }
    int64_t word;
    int exponent;
    bool is_short = n.kind == PG_NUMERIC_FINITE && pg_numeric_binary_word(&n, &word, &exponent);
    if (!is_short || llabs(word) > EXACT_DOUBLE_MAX || abs(exponent) > EXACT_POWER_MAX) {
        return pg_numeric_binary_by_text(out, t, &n, DOUBLE_SIZE, append_double, f);
    }
    double value = (double)word;
    avro_encode_double(out, exponent < 0 ? value / power_of_ten(-exponent) : value * power_of_ten(exponent));
    return VALUE_DONE;
}

static enum value_step append_string(struct bytes *out, const struct value_type *t, struct slice text,
                                     struct fault *f)
{
    (void)t;
    if (!is_number(text)) {
        return pg_write_refuse("a numeric", text, f);
    }
    avro_encode_string(out, text);
    return VALUE_DONE;
}

static enum value_step append_native(struct bytes *out, const struct value_type *t, struct slice text,
                                     struct fault *f)
{
    return PG_NUMERIC_DECIMAL.append_text(out, t, text, f);
}

static enum value_step append_native_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                            struct fault *f)
{
    return PG_NUMERIC_DECIMAL.append_binary(out, t, data, f);
}

static void append_native_zero(struct bytes *out, const struct value_type *t)
{
    PG_NUMERIC_DECIMAL.append_zero(out, t);
}

static void append_native_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)io_names;
    CLEANUP(bytes_clear) struct bytes sizes = {0};
    bytes_format(&sizes, "\"scale\":%d,\"precision\":%d", t->scale, t->precision);
    type_schema_append(out, &(struct type_schema){.type = "bytes",
                                                  .logical = "decimal",
                                                  .sizes = bytes_slice(&sizes),
                                                  .default_json = default_json});
}

static void append_double_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_double(out, 0);
}

static void append_string_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("0"));
}

static void append_double_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "double", .default_json = default_json});
}

// A number of any size is one in JSON, too; NaN and the infinities are not.
static enum value_step append_double_default(struct bytes *out, const struct value_type *t, struct slice text,
                                             struct fault *f)
{
    (void)t;
    struct pg_numeric_text n;
    enum value_step step = pg_numeric_text_read(text, &n, f);
    if (step == VALUE_DONE) {
        bytes_append_slice(out, text);
        bytes_append_string(out, n.fraction.size == 0 ? ".0" : "");
    }
    return step;
}

const struct type_ops PG_NUMERIC_DOUBLE = {
    .append_text = append_double,
    .append_binary = append_double_binary,
    .write_text = pg_numeric_binary_write_text,
    .append_zero = append_double_zero,
    .append_default = append_double_default,
    .append_schema = append_double_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMERIC_STRING = {
    .append_text = append_string,
    .append_binary = pg_write_binary_string,
    .write_text = pg_numeric_binary_write_text,
    .append_zero = append_string_zero,
    .append_default = pg_json_string,
    .append_schema = pg_write_schema_string,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMERIC_NATIVE = {
    .append_text = append_native,
    .append_binary = append_native_binary,
    .write_text = pg_numeric_binary_write_text,
    .append_zero = append_native_zero,
    .append_default = pg_json_bytes,
    .append_schema = append_native_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
