#include "connectors/postgres/values/pg_numeric.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "core/base/memory.h"
#include "core/base/radix.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    WORD_DIGITS = 18,      // numbers of this many digits fit an int64_t
    DIGITS_MAX = 1 << 18,  // PostgreSQL's limit: 131,072 before and 16,383 after the point
};

// The parts of the text [-]whole[.fraction].
struct numeric {
    bool is_negative;
    struct slice whole;
    struct slice fraction;
};

static size_t count_digits(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *from = at;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return (size_t)(at - from);
}

static bool split_text(struct slice text, struct numeric *ret, struct fault *f)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.size == 0 ? at : at + text.size;
    struct numeric n = {0};
    if (at < end && *at == '-') {
        n.is_negative = true;
        at++;
    }
    n.whole = slice_make(at, at == end ? 0 : count_digits(at, end));
    at = n.whole.size == 0 ? at : at + n.whole.size;
    if (at < end && *at == '.') {
        at++;
        n.fraction = slice_make(at, count_digits(at, end));
        at += n.fraction.size;
    }
    size_t digits = n.whole.size + n.fraction.size;
    if (at == end && digits > 0 && digits <= DIGITS_MAX) {
        *ret = n;
        return true;
    }
    int size = text.size > 64 ? 64 : (int)text.size;
    return fault_set(f, FAULT_REJECT, "not a numeric as PostgreSQL writes it: \"%.*s\"", size,
                     (const char *)text.data);
}

static bool is_special(struct slice text, struct fault *f)
{
    static const char *const SPECIAL[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < COUNT_OF(SPECIAL); i++) {
        if (slice_equal(text, slice_of(SPECIAL[i]))) {
            (void)fault_set(
                f, FAULT_REJECT,
                "numeric %s can't be encoded as a decimal: use double precision or text for such values",
                SPECIAL[i]);
            return true;
        }
    }
    return false;
}

// Checks for NaN and infinities only when the text is not a number, which is rare.
static enum value_step read_text(struct slice text, struct numeric *ret, struct fault *f)
{
    if (split_text(text, ret, f)) {
        return VALUE_DONE;
    }
    return is_special(text, f) ? VALUE_NONE : VALUE_FAULT;
}

// Digit `i` of whole and fraction together; '0' beyond the end.
static uint8_t digit_at(const struct numeric *n, size_t i)
{
    if (i < n->whole.size) {
        return (uint8_t)(n->whole.data[i] - '0');
    }
    i -= n->whole.size;
    return i < n->fraction.size ? (uint8_t)(n->fraction.data[i] - '0') : 0;
}

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

static void append_long(struct bytes *out, const struct numeric *n, size_t digits)
{
    size_t size = radix_bytes_max(digits) + 1;  // one more for the sign
    CLEANUP(memory_free_pointer) uint8_t *text = memory_new(digits + size);
    uint8_t *number = text + digits;
    for (size_t i = 0; i < digits; i++) {
        text[i] = (uint8_t)('0' + digit_at(n, i));
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
    avro_encode_string(out, slice_make(number, size));
}

// Appends the first `digits` digits as one integer.
static void append_digits(struct bytes *out, const struct numeric *n, size_t digits)
{
    if (digits > WORD_DIGITS) {
        append_long(out, n, digits);
        return;
    }
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + digit_at(n, i);
    }
    append_word(out, n->is_negative ? -value : value);
}

static enum value_step append_decimal(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    struct numeric n;
    enum value_step step = read_text(text, &n, f);
    if (step != VALUE_DONE) {
        return step;
    }
    int scale = t->scale;
    size_t cut = scale < 0 ? (size_t)-scale : 0;  // digits before the point that a negative scale drops
    size_t digits = scale < 0 ? (n.whole.size > cut ? n.whole.size - cut : 0) : n.whole.size + (size_t)scale;
    for (size_t i = digits; i < n.whole.size + n.fraction.size; i++) {
        if (digit_at(&n, i) != 0) {
            (void)fault_set(f, FAULT_REJECT, "numeric %.*s has digits below the column's scale %d",
                            text.size > 64 ? 64 : (int)text.size, (const char *)text.data, scale);
            return VALUE_FAULT;
        }
    }
    append_digits(out, &n, digits);
    return VALUE_DONE;
}

static enum value_step append_variable(struct bytes *out, const struct value_type *t, struct slice text,
                                       struct fault *f)
{
    (void)t;
    struct numeric n;
    enum value_step step = read_text(text, &n, f);
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
    .append_zero = append_decimal_zero,
    .append_default = pg_json_bytes,
    .append_schema = append_decimal_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMERIC_VARIABLE = {
    .append_text = append_variable,
    .append_zero = append_variable_zero,
    .append_schema = append_variable_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
