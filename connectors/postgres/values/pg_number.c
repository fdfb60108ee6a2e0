// The text forms: integers in decimal; floats with enough digits to restore the value (extra_float_digits),
// or NaN, Infinity, -Infinity; booleans `t` and `f`.
#include "connectors/postgres/values/pg_number.h"

#include <stdlib.h>

#include "schemas/avro/avro_encode.h"

enum {
    FLOAT_SIZE_MAX = 64,
    SAFE_DIGITS = 18,  // numbers of this many digits fit an int64_t
};

static enum value_step refuse(const char *what, struct slice text, struct fault *f)
{
    int size = text.size > 64 ? 64 : (int)text.size;
    (void)fault_set(f, FAULT_REJECT, "not %s as PostgreSQL writes it: \"%.*s\"", what, size,
                    (const char *)text.data);
    return VALUE_FAULT;
}

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
        return refuse("an integer", text, f);
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static enum value_step append_int16(struct bytes *out, const struct column *c, struct slice text,
                                    struct fault *f)
{
    (void)c;
    return append_integer(out, text, INT16_MIN, INT16_MAX, f);
}

static enum value_step append_int32(struct bytes *out, const struct column *c, struct slice text,
                                    struct fault *f)
{
    (void)c;
    return append_integer(out, text, INT32_MIN, INT32_MAX, f);
}

static enum value_step append_int64(struct bytes *out, const struct column *c, struct slice text,
                                    struct fault *f)
{
    (void)c;
    return append_integer(out, text, INT64_MIN, INT64_MAX, f);
}

static enum value_step append_float(struct bytes *out, const struct column *c, struct slice text,
                                    struct fault *f)
{
    char copy[FLOAT_SIZE_MAX];
    if (text.size == 0 || text.size >= sizeof(copy)) {
        return refuse("a float", text, f);
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    if (c->type == COLUMN_FLOAT32) {
        float value = strtof(copy, &end);
        avro_encode_float(out, value);
    } else {
        double value = strtod(copy, &end);
        avro_encode_double(out, value);
    }
    return end == copy + text.size ? VALUE_DONE : refuse("a float", text, f);
}

static enum value_step append_boolean(struct bytes *out, const struct column *c, struct slice text,
                                      struct fault *f)
{
    (void)c;
    if (text.size != 1 || (text.data[0] != 't' && text.data[0] != 'f')) {
        return refuse("a boolean", text, f);
    }
    avro_encode_boolean(out, text.data[0] == 't');
    return VALUE_DONE;
}

static void append_integer_zero(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_long(out, 0);
}

static void append_float_zero(struct bytes *out, const struct column *c)
{
    if (c->type == COLUMN_FLOAT32) {
        avro_encode_float(out, 0);
    } else {
        avro_encode_double(out, 0);
    }
}

static void append_boolean_zero(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_boolean(out, false);
}

const struct value_ops PG_NUMBER_BOOLEAN = {append_boolean, append_boolean_zero, NULL};
const struct value_ops PG_NUMBER_INT16 = {append_int16, append_integer_zero, NULL};
const struct value_ops PG_NUMBER_INT32 = {append_int32, append_integer_zero, NULL};
const struct value_ops PG_NUMBER_INT64 = {append_int64, append_integer_zero, NULL};
const struct value_ops PG_NUMBER_FLOAT32 = {append_float, append_float_zero, NULL};
const struct value_ops PG_NUMBER_FLOAT64 = {append_float, append_float_zero, NULL};
