#include "connectors/postgres/values/pg_numeric.h"

#include <stdlib.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_numeric_binary.h"
#include "connectors/postgres/values/pg_numeric_text.h"
#include "core/base/memory.h"
#include "core/base/radix.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    WORD_DIGITS = 18,  // numbers of this many digits fit an int64_t
    LONG_SIZE_MAX = 10,
};

static void append_word(struct bytes *out, int64_t value)
{
    size_t size = 1;
    while (size < 8 && (value >> (8 * size - 1)) != 0 && (value >> (8 * size - 1)) != -1) {
        size++;
    }
    avro_encode_long(out, (int64_t)size);
    uint8_t *at = bytes_reserve(out, 8);
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)((uint64_t)value >> (8 * (size - 1 - i)));
    }
    out->size += size;
}

static void negate(uint8_t *number, size_t size)
{
    unsigned carry = 1;
    for (size_t i = size; i > 0; i--) {
        unsigned byte = (uint8_t)~number[i - 1] + carry;
        number[i - 1] = (uint8_t)byte;
        carry = byte >> 8;
    }
}

// What append_digits reserves: the value, and behind it the digits and the number that it is made of.
static size_t room_for(size_t digits)
{
    return 2 * LONG_SIZE_MAX + 2 * (radix_bytes_max(digits) + 1) + digits;
}

static void append_long(struct bytes *out, const struct pg_numeric_text *n, size_t digits)
{
    size_t size = radix_bytes_max(digits) + 1;  // one more for the sign
    uint8_t *number = bytes_reserve(out, room_for(digits)) + LONG_SIZE_MAX + size;
    uint8_t *text = number + size;
    for (size_t i = 0; i < digits; i++) {
        text[i] = (uint8_t)('0' + pg_numeric_text_digit(n, i));
    }
    radix_to_bytes(slice_make(text, digits), number, size);
    if (n->is_negative) {
        negate(number, size);
    }
    uint8_t sign = (number[0] & 0x80) != 0 ? 0xff : 0;
    while (size > 1 && number[0] == sign && (number[1] & 0x80) == (sign & 0x80)) {
        number++;
        size--;
    }
    avro_encode_long(out, (int64_t)size);
    memmove(out->data + out->size, number, size);
    out->size += size;
}

// Appends the first `digits` digits as one integer.
static void append_digits(struct bytes *out, const struct pg_numeric_text *n, size_t digits)
{
    if (digits > WORD_DIGITS) {
        append_long(out, n, digits);
        return;
    }
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + pg_numeric_text_digit(n, i);
    }
    append_word(out, n->is_negative ? -value : value);
}

// Appends the value times 10^scale; false: it has digits below the scale.
static bool append_scaled(struct bytes *out, const struct pg_numeric_text *n, int scale)
{
    size_t cut = scale < 0 ? (size_t)-scale : 0;  // digits before the point that a negative scale drops
    size_t digits =
        scale < 0 ? (n->whole.size > cut ? n->whole.size - cut : 0) : n->whole.size + (size_t)scale;
    for (size_t i = digits; i < n->whole.size + n->fraction.size; i++) {
        if (pg_numeric_text_digit(n, i) != 0) {
            return false;
        }
    }
    append_digits(out, n, digits);
    return true;
}

static enum value_step refuse_scale(struct slice text, int scale, struct fault *f)
{
    (void)fault_set(f, FAULT_REJECT, "numeric %.*s has digits below the column's scale %d",
                    text.size > 64 ? 64 : (int)text.size, (const char *)text.data, scale);
    return VALUE_FAULT;
}

static enum value_step append_decimal(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    struct pg_numeric_text n;
    enum value_step step = pg_numeric_text_read(text, &n, f);
    if (step != VALUE_DONE) {
        return step;
    }
    return append_scaled(out, &n, t->scale) ? VALUE_DONE : refuse_scale(text, t->scale, f);
}

static enum value_step append_variable(struct bytes *out, const struct value_type *t, struct slice text,
                                       struct fault *f)
{
    (void)t;
    struct pg_numeric_text n;
    enum value_step step = pg_numeric_text_read(text, &n, f);
    if (step != VALUE_DONE) {
        return step;
    }
    while (n.fraction.size > 0 && n.fraction.data[n.fraction.size - 1] == '0') {
        n.fraction.size--;
    }
    avro_encode_long(out, (int64_t)n.fraction.size);
    append_digits(out, &n, n.whole.size + n.fraction.size);
    return VALUE_DONE;
}

// What append_decimal and append_variable reserve, for pg_numeric_binary_by_text.
static size_t room_of(const struct value_type *t, const struct pg_numeric_binary *n)
{
    return LONG_SIZE_MAX + room_for(pg_numeric_binary_text_max(n) + (size_t)abs(t->scale));
}

// value *= 10^power, unless it overflows or digits would be lost.
static bool shift_word(int64_t *io_value, int power)
{
    for (; power > 0; power--) {
        if (__builtin_mul_overflow(*io_value, 10, io_value)) {
            return false;
        }
    }
    for (; power < 0; power++) {
        if (*io_value % 10 != 0) {
            return false;
        }
        *io_value /= 10;
    }
    return true;
}

static enum value_step append_decimal_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    struct pg_numeric_binary n;
    if (!pg_numeric_binary_read(data, &n, f)) {
        return VALUE_FAULT;
    }
    int64_t word;
    int exponent;
    if (n.kind == PG_NUMERIC_FINITE && pg_numeric_binary_word(&n, &word, &exponent) &&
        shift_word(&word, exponent + t->scale)) {
        append_word(out, word);
        return VALUE_DONE;
    }
    return pg_numeric_binary_by_text(out, t, &n, room_of(t, &n), append_decimal, f);
}

static enum value_step append_variable_binary(struct bytes *out, const struct value_type *t,
                                              struct slice data, struct fault *f)
{
    struct pg_numeric_binary n;
    if (!pg_numeric_binary_read(data, &n, f)) {
        return VALUE_FAULT;
    }
    int64_t word;
    int exponent;
    if (n.kind != PG_NUMERIC_FINITE || !pg_numeric_binary_word(&n, &word, &exponent)) {
        return pg_numeric_binary_by_text(out, t, &n, room_of(t, &n), append_variable, f);
    }
    for (; exponent < 0 && word % 10 == 0; exponent++) {
        word /= 10;
    }
    if (!shift_word(&word, exponent > 0 ? exponent : 0)) {
        return pg_numeric_binary_by_text(out, t, &n, room_of(t, &n), append_variable, f);
    }
    avro_encode_long(out, exponent < 0 ? -exponent : 0);
    append_word(out, word);
    return VALUE_DONE;
}

static void append_decimal_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_make("", 1));
}

static void append_variable_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
    avro_encode_string(out, slice_make("", 1));
}

static void append_decimal_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)io_names;
    CLEANUP(bytes_clear) struct bytes sizes = {0};
    CLEANUP(bytes_clear) struct bytes parameters = {0};
    bytes_format(&sizes, "\"scale\":%d,\"precision\":%d", t->scale, t->precision);
    bytes_format(&parameters, "{\"scale\":\"%d\",\"connect.decimal.precision\":\"%d\"}", t->scale,
                 t->precision);
    // Decoders refuse a logical decimal whose scale is negative or exceeds its precision.
    bool is_logical = t->scale >= 0 && t->scale <= t->precision;
    type_schema_append(out, &(struct type_schema){.type = "bytes",
                                                  .name = "org.apache.kafka.connect.data.Decimal",
                                                  .logical = is_logical ? "decimal" : NULL,
                                                  .sizes = bytes_slice(&sizes),
                                                  .parameters = bytes_slice(&parameters),
                                                  .default_json = default_json});
}

static void append_variable_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                   struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    static const char NAME[] = "io.debezium.data.VariableScaleDecimal";
    if (!schema_names_add(io_names, NAME)) {
        bytes_format(out, "\"%s\"", NAME);
        return;
    }
    bytes_append_string(
        out, "{\"type\":\"record\",\"name\":\"VariableScaleDecimal\",\"namespace\":\"io.debezium.data\","
             "\"fields\":[{\"name\":\"scale\",\"type\":\"int\"},{\"name\":\"value\",\"type\":\"bytes\"}],"
             "\"connect.doc\":\"Variable scaled decimal\",\"connect.version\":1,\"connect.name\":\"");
    bytes_format(out, "%s\"}", NAME);
}

// No placeholders: any bytes would be read as a number.
const struct type_ops PG_NUMERIC_DECIMAL = {
    .append_text = append_decimal,
    .append_binary = append_decimal_binary,
    .write_text = pg_numeric_binary_write_text,
    .append_zero = append_decimal_zero,
    .append_default = pg_json_bytes,
    .append_schema = append_decimal_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMERIC_VARIABLE = {
    .append_text = append_variable,
    .append_binary = append_variable_binary,
    .write_text = pg_numeric_binary_write_text,
    .append_zero = append_variable_zero,
    .append_schema = append_variable_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
