// The text form is that of lc_monetary C, which the connection sets: -$12,345.67. The binary form is an
// int64. How many decimals the database's own locale gives to money is in neither.
#include "connectors/postgres/values/pg_money.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_forms.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    DECIMALS = 100,
    TEXT_MAX = 32,
};

#define EXACT_DOUBLE_MAX (INT64_C(1) << 53)

static bool next_is(const struct cursor *c, char byte)
{
    return cursor_left(c) > 0 && *c->at == (uint8_t)byte;
}

// Digits with commas between groups, a point, two digits. Negative, as INT64_MIN has no positive counterpart.
static bool read_amount(struct cursor *c, int64_t *ret_negative)
{
    int64_t value = 0;
    int decimals = -1;
    bool is_good = cursor_left(c) > 0;
    while (is_good && cursor_left(c) > 0) {
        uint8_t byte = cursor_u8(c);
        if (byte == '.' && decimals < 0) {
            decimals = 0;
        } else if (byte >= '0' && byte <= '9') {
            decimals += decimals >= 0 ? 1 : 0;
            is_good = !__builtin_mul_overflow(value, 10, &value) &&
                      !__builtin_sub_overflow(value, byte - '0', &value);
        } else {
            is_good = byte == ',' && decimals < 0;
        }
    }
    *ret_negative = value;
    return is_good && decimals == 2;
}

static bool read_text(struct slice text, int64_t *ret, struct fault *f)
{
    struct cursor c = cursor_over(text);
    bool is_negative = next_is(&c, '-');
    (void)cursor_take(&c, is_negative ? 1 : 0);
    (void)cursor_take(&c, next_is(&c, '$') ? 1 : 0);
    int64_t negative = 0;
    bool is_good = read_amount(&c, &negative);
    *ret = negative;
    is_good = is_good && (is_negative || !__builtin_sub_overflow(INT64_C(0), negative, ret));
    return is_good || pg_write_refuse("money with lc_monetary C", text, f) == VALUE_DONE;
}

static bool read_binary(struct slice data, int64_t *ret, struct fault *f)
{
    struct cursor c = cursor_over(data);
    *ret = (int64_t)cursor_u64(&c);
    bool is_good = !c.is_short && c.at == c.end;
    return is_good || pg_write_refuse_binary("money", data, f) == VALUE_DONE;
}

static enum value_step emit_decimal(struct bytes *out, const struct value_type *t, const int64_t *value,
                                    struct fault *f)
{
    (void)t;
    (void)f;
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)((uint64_t)*value >> (56 - 8 * i));
    }
    size_t from = 0;
    uint8_t sign = *value < 0 ? 0xff : 0;
    while (from < 7 && bytes[from] == sign && (bytes[from + 1] & 0x80) == (sign & 0x80)) {
        from++;
    }
    avro_encode_string(out, slice_make(bytes + from, sizeof(bytes) - from));
    return VALUE_DONE;
}

// -12345.67
static size_t put_plain(uint8_t *to, int64_t value)
{
    uint8_t text[TEXT_MAX];
    size_t size = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (int digits = 0; digits < 3 || rest > 0; digits++) {
        if (digits == 2) {
            text[size++] = '.';
        }
        text[size++] = (uint8_t)('0' + rest % 10);
        rest /= 10;
    }
    if (value < 0) {
        text[size++] = '-';
    }
    for (size_t i = 0; i < size; i++) {
        to[i] = text[size - 1 - i];
    }
    return size;
}

static enum value_step emit_string(struct bytes *out, const struct value_type *t, const int64_t *value,
                                   struct fault *f)
{
    (void)t;
    (void)f;
    uint8_t text[TEXT_MAX];
    avro_encode_string(out, slice_make(text, put_plain(text, *value)));
    return VALUE_DONE;
}

// 53 bits of hundredths are rounded once.
static enum value_step emit_double(struct bytes *out, const struct value_type *t, const int64_t *value,
                                   struct fault *f)
{
    (void)t;
    (void)f;
    bool is_exact = *value <= EXACT_DOUBLE_MAX && *value >= -EXACT_DOUBLE_MAX;
    avro_encode_double(out, is_exact ? (double)*value / DECIMALS : (double)((long double)*value / DECIMALS));
    return VALUE_DONE;
}

PG_FORMS(append_decimal, int64_t, read_text, read_binary, emit_decimal)
PG_FORMS(append_double, int64_t, read_text, read_binary, emit_double)
PG_FORMS(append_string, int64_t, read_text, read_binary, emit_string)

// As lc_monetary C: -$12,345.67.
static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    int64_t value;
    if (!read_binary(data, &value, f)) {
        return VALUE_FAULT;
    }
    uint8_t plain[TEXT_MAX];
    size_t size = put_plain(plain, value);
    size_t at = 0;
    if (plain[0] == '-') {
        bytes_append_byte(out, '-');
        at = 1;
    }
    bytes_append_byte(out, '$');
    size_t point = size - 3;
    for (size_t from = at; at < size; at++) {
        if (at > from && at < point && (point - at) % 3 == 0) {
            bytes_append_byte(out, ',');
        }
        bytes_append_byte(out, plain[at]);
    }
    return VALUE_DONE;
}

static void append_decimal_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_make("", 1));
}

static void append_double_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_double(out, 0);
}

static void append_string_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("0.00"));
}

static void append_decimal_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "bytes",
                                                  .name = "org.apache.kafka.connect.data.Decimal",
                                                  .logical = "decimal",
                                                  .sizes = slice_of("\"scale\":2,\"precision\":64"),
                                                  .parameters = slice_of("{\"scale\":\"2\"}"),
                                                  .default_json = default_json});
}

static void append_native_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "bytes",
                                                  .logical = "decimal",
                                                  .sizes = slice_of("\"scale\":2,\"precision\":19"),
                                                  .default_json = default_json});
}

static void append_double_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "double", .default_json = default_json});
}

// As Debezium, without defaults.
const struct type_ops PG_MONEY_DECIMAL = {
    .append_text = append_decimal_text,
    .append_binary = append_decimal_binary,
    .write_text = write_text,
    .append_zero = append_decimal_zero,
    .append_schema = append_decimal_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_MONEY_NATIVE = {
    .append_text = append_decimal_text,
    .append_binary = append_decimal_binary,
    .write_text = write_text,
    .append_zero = append_decimal_zero,
    .append_schema = append_native_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_MONEY_DOUBLE = {
    .append_text = append_double_text,
    .append_binary = append_double_binary,
    .write_text = write_text,
    .append_zero = append_double_zero,
    .append_schema = append_double_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_MONEY_STRING = {
    .append_text = append_string_text,
    .append_binary = append_string_binary,
    .write_text = write_text,
    .append_zero = append_string_zero,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
