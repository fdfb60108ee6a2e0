#include "connectors/postgres/values/pg_numeric.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_write.h"
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

// --- the binary form ---

// uint16 count, int16 weight, uint16 sign, uint16 dscale, then `count` digits to the base 10000. The value is
// the sum of digit[i] * 10000^(weight - i); dscale is how many decimals are shown.
struct binary_numeric {
    const uint8_t *digits;  // big-endian uint16
    int count;
    int weight;
    int scale;
    bool is_negative;
};

enum {
    HEAD = 8,
    BASE = 10000,
    BASE_DIGITS = 4,
    SIGN_NEGATIVE = 0x4000,
    SIGN_NAN = 0xc000,
    SIGN_INFINITY = 0xd000,
    SIGN_MINUS_INFINITY = 0xf000,
    SCALE_MAX = 0x3fff,
    WEIGHT_MAX = DIGITS_MAX / BASE_DIGITS,
};

static inline int get_u16(const uint8_t *at)
{
    return at[0] << 8 | at[1];
}

static enum value_step refuse_binary(struct slice data, struct fault *f)
{
    return pg_write_refuse_binary("a numeric", data, f);
}

static enum value_step read_special(struct slice data, int sign, struct fault *f)
{
    const char *text = sign == SIGN_NAN              ? "NaN"
                       : sign == SIGN_INFINITY       ? "Infinity"
                       : sign == SIGN_MINUS_INFINITY ? "-Infinity"
                                                     : "";
    return is_special(slice_of(text), f) ? VALUE_NONE : refuse_binary(data, f);
}

static enum value_step read_binary(struct slice data, struct binary_numeric *ret, struct fault *f)
{
    if (data.size < HEAD) {
        return refuse_binary(data, f);
    }
    int sign = get_u16(data.data + 4);
    if (sign != 0 && sign != SIGN_NEGATIVE) {
        return read_special(data, sign, f);
    }
    *ret = (struct binary_numeric){.digits = data.data + HEAD,
                                   .count = get_u16(data.data),
                                   .weight = (int16_t)get_u16(data.data + 2),
                                   .scale = get_u16(data.data + 6),
                                   .is_negative = sign == SIGN_NEGATIVE};
    bool is_good = data.size == HEAD + 2 * (size_t)ret->count && ret->scale <= SCALE_MAX &&
                   ret->weight <= WEIGHT_MAX && ret->count <= 2 * WEIGHT_MAX;
    for (int i = 0; i < ret->count && is_good; i++) {
        is_good = get_u16(ret->digits + 2 * i) < BASE;
    }
    return is_good ? VALUE_DONE : refuse_binary(data, f);
}

// The digit to the base 10000 at the weight; 0 where none is sent.
static int base_digit(const struct binary_numeric *n, int weight)
{
    int i = n->weight - weight;
    return i >= 0 && i < n->count ? get_u16(n->digits + 2 * i) : 0;
}

static uint8_t *put_base_digit(uint8_t *at, int digit)
{
    at[0] = (uint8_t)('0' + digit / 1000);
    at[1] = (uint8_t)('0' + digit / 100 % 10);
    at[2] = (uint8_t)('0' + digit / 10 % 10);
    at[3] = (uint8_t)('0' + digit % 10);
    return at + BASE_DIGITS;
}

static void write_digits(struct bytes *out, const struct binary_numeric *n)
{
    int whole = n->weight < 0 ? 0 : n->weight;
    size_t size = (size_t)(whole + 1) * BASE_DIGITS + (size_t)n->scale + BASE_DIGITS + 2;
    uint8_t *begin = bytes_reserve(out, size);
    uint8_t *at = begin;
    if (n->is_negative) {
        *at++ = '-';
    }
    uint8_t *first = at;
    for (int weight = whole; weight >= 0; weight--) {
        at = put_base_digit(at, base_digit(n, weight));
    }
    size_t zeros = 0;
    while (first + zeros + 1 < at && first[zeros] == '0') {
        zeros++;
    }
    memmove(first, first + zeros, (size_t)(at - first) - zeros);
    at -= zeros;
    if (n->scale > 0) {
        *at++ = '.';
        uint8_t *end = at + n->scale;
        for (int weight = -1; at < end; weight--) {
            at = put_base_digit(at, base_digit(n, weight));
        }
        at = end;
    }
    out->size += (size_t)(at - begin);
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    struct binary_numeric n = {0};
    enum value_step step = read_binary(data, &n, f);
    if (step == VALUE_DONE) {
        write_digits(out, &n);
    } else if (step == VALUE_NONE) {
        int sign = get_u16(data.data + 4);
        bytes_append_string(out, sign == SIGN_NAN ? "NaN" : sign == SIGN_INFINITY ? "Infinity" : "-Infinity");
        step = VALUE_DONE;
    }
    return step;
}

static const int64_t POWERS[] = {1,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 INT64_C(1000000000),
                                 INT64_C(10000000000),
                                 INT64_C(100000000000),
                                 INT64_C(1000000000000),
                                 INT64_C(10000000000000),
                                 INT64_C(100000000000000),
                                 INT64_C(1000000000000000),
                                 INT64_C(10000000000000000),
                                 INT64_C(100000000000000000),
                                 INT64_C(1000000000000000000)};

// The value times 10^scale, if it fits: nearly every value does.
static inline bool scale_word(const struct binary_numeric *n, int scale, int64_t *ret)
{
    int64_t value = 0;
    if (n->count > WORD_DIGITS / BASE_DIGITS) {
        return false;
    }
    for (int i = 0; i < n->count; i++) {
        value = value * BASE + get_u16(n->digits + 2 * i);
    }
    int shift = scale - (n->count - 1 - n->weight) * BASE_DIGITS;  // of the last digit's unit
    if (shift >= 0) {
        if (value != 0 && (shift > WORD_DIGITS || __builtin_mul_overflow(value, POWERS[shift], &value))) {
            return false;
        }
    } else {
        if (shift < -WORD_DIGITS || value % POWERS[-shift] != 0) {
            return false;
        }
        value /= POWERS[-shift];
    }
    *ret = n->is_negative ? -value : value;
    return true;
}

// By way of the text, for long values and those that are refused.
static enum value_step append_as_text(struct bytes *out, const struct value_type *t,
                                      const struct binary_numeric *n, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    write_digits(&text, n);
    return t->ops->append_text(out, t, bytes_slice(&text), f);
}

static enum value_step append_decimal_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    struct binary_numeric n = {0};
    enum value_step step = read_binary(data, &n, f);
    int64_t value;
    if (step != VALUE_DONE) {
        return step;
    }
    if (!scale_word(&n, t->scale, &value)) {
        return append_as_text(out, t, &n, f);
    }
    append_word(out, value);
    return VALUE_DONE;
}

static enum value_step append_variable_binary(struct bytes *out, const struct value_type *t,
                                              struct slice data, struct fault *f)
{
    struct binary_numeric n = {0};
    enum value_step step = read_binary(data, &n, f);
    if (step != VALUE_DONE) {
        return step;
    }
    int decimals = (n.count - 1 - n.weight) * BASE_DIGITS;
    int scale = n.count == 0 || decimals < 0 ? 0 : decimals;
    int64_t value;
    if (!scale_word(&n, scale, &value)) {
        return append_as_text(out, t, &n, f);
    }
    for (; scale > 0 && value % 10 == 0; scale--) {
        value /= 10;
    }
    avro_encode_long(out, scale);
    append_word(out, value);
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
    .write_text = write_text,
    .append_zero = append_decimal_zero,
    .append_default = pg_json_bytes,
    .append_schema = append_decimal_schema,
    .computed_default = "0",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_NUMERIC_VARIABLE = {
    .append_text = append_variable,
    .append_binary = append_variable_binary,
    .write_text = write_text,
    .append_zero = append_variable_zero,
    .append_schema = append_variable_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
