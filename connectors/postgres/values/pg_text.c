#include "connectors/postgres/values/pg_text.h"

#include <errno.h>
#include <stdlib.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_datetime.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "core/base/clock.h"
#include "schemas/avro/avro_encode.h"

// The name-based (MD5) UUID of the placeholder, as Debezium makes it.
#define PG_TEXT_PLACEHOLDER_UUID "b68a35a7-17ad-35b3-af2a-ae46edb4545a"

enum {
    PG_TEXT_FLOAT_SIZE_MAX = 64,
    PG_TEXT_SAFE_DIGITS = 18,  // never overflow an int64_t
};

static bool pg_text_bad(const char *what, struct slice text, struct fault *f)
{
    int size = text.size > 64 ? 64 : (int)text.size;
    return fault_set(f, FAULT_REJECT, "not %s as PostgreSQL writes it: \"%.*s\"", what, size,
                     (const char *)text.data);
}

static bool pg_text_append_integer(struct bytes *out, struct slice text, int64_t min, int64_t max,
                                   struct fault *f)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.size == 0 ? at : at + text.size;
    bool is_negative = at < end && *at == '-';
    at += is_negative ? 1 : 0;
    bool is_bad = at == end;
    int64_t value = 0;
    for (; end - at <= PG_TEXT_SAFE_DIGITS && at < end && !is_bad; at++) {
        int digit = *at - '0';
        is_bad = digit < 0 || digit > 9;
        value = value * 10 - digit;
    }
    for (; at < end && !is_bad; at++) {
        int digit = *at - '0';
        is_bad = digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
                 __builtin_sub_overflow(value, digit, &value);
    }
    // Counted downwards, because the smallest integer has no positive twin.
    is_bad = is_bad || (!is_negative && __builtin_sub_overflow(INT64_C(0), value, &value));
    if (is_bad || value < min || value > max) {
        return pg_text_bad("an integer", text, f);
    }
    avro_encode_long(out, value);
    return true;
}

static bool pg_text_append_float(struct bytes *out, enum column_type type, struct slice text, struct fault *f)
{
    char copy[PG_TEXT_FLOAT_SIZE_MAX];
    if (text.size == 0 || text.size >= sizeof(copy)) {
        return pg_text_bad("a float", text, f);
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    if (type == COLUMN_FLOAT32) {
        float value = strtof(copy, &end);
        avro_encode_float(out, value);
    } else {
        double value = strtod(copy, &end);
        avro_encode_double(out, value);
    }
    return end == copy + text.size ? true : pg_text_bad("a float", text, f);
}

static int pg_text_hex(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    uint8_t letter = digit | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static bool pg_text_append_bytes(struct bytes *out, struct slice text, struct fault *f)
{
    if (text.size < 2 || text.data[0] != '\\' || text.data[1] != 'x' || text.size % 2 != 0) {
        return pg_text_bad("bytea in hex", text, f);
    }
    size_t size = text.size / 2 - 1;
    avro_encode_long(out, (int64_t)size);
    uint8_t *at = bytes_reserve(out, size);
    int bad = 0;
    for (size_t i = 0; i < size; i++) {
        int byte = pg_text_hex(text.data[2 + 2 * i]) * 16 | pg_text_hex(text.data[3 + 2 * i]);
        bad |= byte;
        at[i] = (uint8_t)byte;
    }
    out->size += size;
    return bad < 0 ? pg_text_bad("bytea in hex", text, f) : true;
}

static bool pg_text_append_boolean(struct bytes *out, struct slice text, struct fault *f)
{
    if (text.size != 1 || (text.data[0] != 't' && text.data[0] != 'f')) {
        return pg_text_bad("a boolean", text, f);
    }
    avro_encode_boolean(out, text.data[0] == 't');
    return true;
}

static bool pg_text_append_date(struct bytes *out, struct slice text, struct fault *f)
{
    int32_t days;
    if (!pg_datetime_date(text, &days, f)) {
        return false;
    }
    avro_encode_long(out, days);
    return true;
}

static bool pg_text_append_moment(struct bytes *out, enum column_type type, struct slice text,
                                  struct fault *f)
{
    int64_t us;
    bool is_time = type == COLUMN_TIME_MS || type == COLUMN_TIME_US;
    if (is_time ? !pg_datetime_time(text, &us, f) : !pg_datetime_timestamp(text, &us, f)) {
        return false;
    }
    bool is_coarse = type == COLUMN_TIME_MS || type == COLUMN_TIMESTAMP_MS;
    avro_encode_long(out, is_coarse ? us / CLOCK_US_PER_MS : us);
    return true;
}

bool pg_text_append_scalar(struct bytes *out, const struct column *c, struct slice text, struct fault *f)
{
    switch (c->type) {
    case COLUMN_STRING:
    case COLUMN_UUID:
    case COLUMN_JSON:
    case COLUMN_XML:
        avro_encode_string(out, text);
        return true;
    case COLUMN_INT32:
        return pg_text_append_integer(out, text, INT32_MIN, INT32_MAX, f);
    case COLUMN_INT64:
        return pg_text_append_integer(out, text, INT64_MIN, INT64_MAX, f);
    case COLUMN_INT16:
        return pg_text_append_integer(out, text, INT16_MIN, INT16_MAX, f);
    case COLUMN_BOOLEAN:
        return pg_text_append_boolean(out, text, f);
    case COLUMN_FLOAT32:
    case COLUMN_FLOAT64:
        return pg_text_append_float(out, c->type, text, f);
    case COLUMN_DECIMAL:
        return pg_numeric_append_decimal(out, text, c->scale, f);
    case COLUMN_VARIABLE_DECIMAL:
        return pg_numeric_append_variable(out, text, f);
    case COLUMN_BYTES:
        return pg_text_append_bytes(out, text, f);
    case COLUMN_DATE:
        return pg_text_append_date(out, text, f);
    case COLUMN_TIME_MS:
    case COLUMN_TIME_US:
    case COLUMN_TIMESTAMP_MS:
    case COLUMN_TIMESTAMP_US:
        return pg_text_append_moment(out, c->type, text, f);
    case COLUMN_ZONED_TIMESTAMP:
        return pg_datetime_append_zoned(out, text, c->precision, f);
    case COLUMN_ZONED_TIME:
        return pg_datetime_append_zoned_time(out, text, f);
    }
    return fault_set(f, FAULT_FATAL, "column %s has no type", c->name);
}

bool pg_text_append(struct bytes *out, const struct column *c, struct slice text, struct fault *f)
{
    return c->is_array ? pg_array_append(out, c, text, f) : pg_text_append_scalar(out, c, text, f);
}

void pg_text_append_zero(struct bytes *out, const struct column *c)
{
    if (c->is_array) {
        avro_encode_long(out, 0);
        return;
    }
    switch (c->type) {
    case COLUMN_BOOLEAN:
        avro_encode_boolean(out, false);
        return;
    case COLUMN_FLOAT32:
        avro_encode_float(out, 0);
        return;
    case COLUMN_FLOAT64:
        avro_encode_double(out, 0);
        return;
    case COLUMN_VARIABLE_DECIMAL:
        avro_encode_long(out, 0);
        avro_encode_string(out, slice_make("", 1));
        return;
    case COLUMN_DECIMAL:
        avro_encode_string(out, slice_make("", 1));
        return;
    case COLUMN_ZONED_TIMESTAMP:
        avro_encode_string(out, slice_of("1970-01-01T00:00:00Z"));
        return;
    case COLUMN_ZONED_TIME:
        avro_encode_string(out, slice_of("00:00:00Z"));
        return;
    case COLUMN_INT16:
    case COLUMN_INT32:
    case COLUMN_INT64:
    case COLUMN_DATE:
    case COLUMN_TIME_MS:
    case COLUMN_TIME_US:
    case COLUMN_TIMESTAMP_MS:
    case COLUMN_TIMESTAMP_US:
    case COLUMN_STRING:
    case COLUMN_BYTES:
    case COLUMN_UUID:
    case COLUMN_JSON:
    case COLUMN_XML:
        avro_encode_long(out, 0);  // the number 0, or a text or bytes of length 0
        return;
    }
}

// Types that can't hold the text get its bytes as numbers, one by one in an array.
static void pg_text_append_placeholder_byte(struct bytes *out, const struct column *c, uint8_t byte)
{
    switch (c->type) {
    case COLUMN_BOOLEAN:
        avro_encode_boolean(out, true);
        return;
    case COLUMN_FLOAT32:
        avro_encode_float(out, byte);
        return;
    case COLUMN_FLOAT64:
        avro_encode_double(out, byte);
        return;
    case COLUMN_INT16:
    case COLUMN_INT32:
    case COLUMN_INT64:
    case COLUMN_DATE:
    case COLUMN_TIME_MS:
    case COLUMN_TIME_US:
    case COLUMN_TIMESTAMP_MS:
    case COLUMN_TIMESTAMP_US:
    case COLUMN_STRING:
    case COLUMN_BYTES:
    case COLUMN_UUID:
    case COLUMN_JSON:
    case COLUMN_XML:
    case COLUMN_ZONED_TIMESTAMP:
    case COLUMN_ZONED_TIME:
    case COLUMN_DECIMAL:
    case COLUMN_VARIABLE_DECIMAL:
        avro_encode_long(out, byte);
        return;
    }
}

static bool pg_text_holds_placeholder(enum column_type type)
{
    return type == COLUMN_STRING || type == COLUMN_BYTES || type == COLUMN_UUID || type == COLUMN_JSON ||
           type == COLUMN_XML || type == COLUMN_ZONED_TIMESTAMP || type == COLUMN_ZONED_TIME ||
           type == COLUMN_DECIMAL || type == COLUMN_VARIABLE_DECIMAL;
}

static void pg_text_append_placeholder_scalar(struct bytes *out, const struct column *c)
{
    bool is_uuid_element = c->is_array && c->type == COLUMN_UUID;
    if (c->type == COLUMN_VARIABLE_DECIMAL) {
        avro_encode_long(out, 0);
    }
    avro_encode_string(out, slice_of(is_uuid_element ? PG_TEXT_PLACEHOLDER_UUID : PG_TEXT_PLACEHOLDER));
}

void pg_text_append_placeholder(struct bytes *out, const struct column *c)
{
    bool holds = pg_text_holds_placeholder(c->type);
    if (!c->is_array) {
        // No fixed-size type is ever TOASTed: this is only reached by what a broken server sends.
        holds ? pg_text_append_placeholder_scalar(out, c) : pg_text_append_zero(out, c);
        return;
    }
    size_t count = holds ? 1 : sizeof(PG_TEXT_PLACEHOLDER) - 1;
    avro_encode_long(out, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        avro_encode_long(out, 1);  // the union's branch
        if (holds) {
            pg_text_append_placeholder_scalar(out, c);
        } else {
            pg_text_append_placeholder_byte(out, c, (uint8_t)PG_TEXT_PLACEHOLDER[i]);
        }
    }
    avro_encode_long(out, 0);
}
