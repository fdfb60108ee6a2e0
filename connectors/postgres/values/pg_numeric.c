#include "connectors/postgres/values/pg_numeric.h"

#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"

enum {
    PG_NUMERIC_WORD_DIGITS = 18,      // that many decimal digits always fit an int64_t
    PG_NUMERIC_DIGITS_MAX = 1 << 18,  // PostgreSQL: 131,072 before and 16,383 after the point
};

#define PG_NUMERIC_WORD_BASE UINT64_C(1000000000000000000)

__extension__ typedef unsigned __int128 pg_numeric_wide;

// The text taken apart: [-]whole[.fraction].
struct pg_numeric {
    bool is_negative;
    struct slice whole;
    struct slice fraction;
};

static size_t pg_numeric_digits(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *from = at;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return (size_t)(at - from);
}

static bool pg_numeric_split(struct slice text, struct pg_numeric *ret, struct fault *f)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.size == 0 ? at : at + text.size;
    struct pg_numeric n = {0};
    if (at < end && *at == '-') {
        n.is_negative = true;
        at++;
    }
    n.whole = slice_make(at, at == end ? 0 : pg_numeric_digits(at, end));
    at = n.whole.size == 0 ? at : at + n.whole.size;
    if (at < end && *at == '.') {
        at++;
        n.fraction = slice_make(at, pg_numeric_digits(at, end));
        at += n.fraction.size;
    }
    size_t digits = n.whole.size + n.fraction.size;
    if (at == end && digits > 0 && digits <= PG_NUMERIC_DIGITS_MAX) {
        *ret = n;
        return true;
    }
    int size = text.size > 64 ? 64 : (int)text.size;
    return fault_set(f, FAULT_REJECT,
                     "numeric %.*s can't be a decimal: use double precision or text for such values", size,
                     (const char *)text.data);
}

// Digit `i` of whole and fraction together, zeros beyond.
static uint8_t pg_numeric_digit(const struct pg_numeric *n, size_t i)
{
    if (i < n->whole.size) {
        return (uint8_t)(n->whole.data[i] - '0');
    }
    i -= n->whole.size;
    return i < n->fraction.size ? (uint8_t)(n->fraction.data[i] - '0') : 0;
}

static void pg_numeric_append_word(struct bytes *out, int64_t value)
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

// Little-endian words of the magnitude; returns how many are in use.
static size_t pg_numeric_words(const struct pg_numeric *n, size_t digits, uint64_t *words)
{
    size_t used = 0;
    size_t at = 0;
    while (at < digits) {
        // The first group is the odd one, so that all others multiply by the same base.
        size_t group = at == 0 ? (digits - 1) % PG_NUMERIC_WORD_DIGITS + 1 : PG_NUMERIC_WORD_DIGITS;
        uint64_t carry = 0;
        for (size_t end = at + group; at < end; at++) {
            carry = carry * 10 + pg_numeric_digit(n, at);
        }
        for (size_t i = 0; i < used; i++) {
            pg_numeric_wide product = (pg_numeric_wide)words[i] * PG_NUMERIC_WORD_BASE + carry;
            words[i] = (uint64_t)product;
            carry = (uint64_t)(product >> 64);
        }
        if (carry != 0) {
            words[used++] = carry;
        }
    }
    return used;
}

static void pg_numeric_negate(uint64_t *words, size_t count)
{
    bool has_carry = true;
    for (size_t i = 0; i < count; i++) {
        words[i] = ~words[i] + (has_carry ? 1 : 0);
        has_carry = has_carry && words[i] == 0;
    }
}

static uint8_t pg_numeric_byte(const uint64_t *words, size_t i)
{
    return (uint8_t)(words[i / 8] >> (8 * (i % 8)));
}

static void pg_numeric_append_long(struct bytes *out, const struct pg_numeric *n, size_t digits)
{
    CLEANUP(memory_free_pointer) uint64_t *words = memory_zeroed(digits / PG_NUMERIC_WORD_DIGITS + 3, 8);
    size_t count = pg_numeric_words(n, digits, words) + 1;  // one more holds the sign
    if (n->is_negative) {
        pg_numeric_negate(words, count);
    }
    size_t size = count * 8;
    uint8_t sign = (words[count - 1] >> 63) != 0 ? 0xff : 0;
    while (size > 1 && pg_numeric_byte(words, size - 1) == sign &&
           (pg_numeric_byte(words, size - 2) & 0x80) == (sign & 0x80)) {
        size--;
    }
    avro_encode_long(out, (int64_t)size);
    uint8_t *at = bytes_reserve(out, size);
    for (size_t i = 0; i < size; i++) {
        at[i] = pg_numeric_byte(words, size - 1 - i);
    }
    out->size += size;
}

// The first `digits` digits as one integer.
static void pg_numeric_append_integer(struct bytes *out, const struct pg_numeric *n, size_t digits)
{
    if (digits > PG_NUMERIC_WORD_DIGITS) {
        pg_numeric_append_long(out, n, digits);
        return;
    }
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + pg_numeric_digit(n, i);
    }
    pg_numeric_append_word(out, n->is_negative ? -value : value);
}

bool pg_numeric_append_decimal(struct bytes *out, struct slice text, int scale, struct fault *f)
{
    struct pg_numeric n;
    if (!pg_numeric_split(text, &n, f)) {
        return false;
    }
    size_t cut = scale < 0 ? (size_t)-scale : 0;  // digits before the point that the scale rounds away
    size_t digits = scale < 0 ? (n.whole.size > cut ? n.whole.size - cut : 0) : n.whole.size + (size_t)scale;
    for (size_t i = digits; i < n.whole.size + n.fraction.size; i++) {
        if (pg_numeric_digit(&n, i) != 0) {
            return fault_set(f, FAULT_REJECT, "numeric %.*s has digits below the column's scale %d",
                             text.size > 64 ? 64 : (int)text.size, (const char *)text.data, scale);
        }
    }
    pg_numeric_append_integer(out, &n, digits);
    return true;
}

bool pg_numeric_append_variable(struct bytes *out, struct slice text, struct fault *f)
{
    struct pg_numeric n;
    if (!pg_numeric_split(text, &n, f)) {
        return false;
    }
    while (n.fraction.size > 0 && n.fraction.data[n.fraction.size - 1] == '0') {
        n.fraction.size--;
    }
    avro_encode_long(out, (int64_t)n.fraction.size);
    pg_numeric_append_integer(out, &n, n.whole.size + n.fraction.size);
    return true;
}
