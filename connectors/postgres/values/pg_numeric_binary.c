// int16 groups, int16 weight, uint16 sign, uint16 dscale, then the groups, from PostgreSQL's numeric_send.
#include "connectors/postgres/values/pg_numeric_binary.h"

#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"

enum {
    GROUP_DIGITS = 4,
    GROUP_END = 10000,
    WORD_GROUPS = 4,
    SCALE_MAX = 0x3fff,
    SIGN_NEGATIVE = 0x4000,
    SIGN_NAN = 0xc000,
    SIGN_INFINITY = 0xd000,
    SIGN_MINUS_INFINITY = 0xf000,
};

static bool set_sign(struct pg_numeric_binary *n, uint16_t sign)
{
    static const struct {
        uint16_t sign;
        enum pg_numeric_kind kind;
    } SPECIAL[] = {{SIGN_NAN, PG_NUMERIC_NAN},
                   {SIGN_INFINITY, PG_NUMERIC_INFINITY},
                   {SIGN_MINUS_INFINITY, PG_NUMERIC_MINUS_INFINITY}};
    n->is_negative = sign == SIGN_NEGATIVE;
    if (sign == 0 || n->is_negative) {
        return true;
    }
    for (size_t i = 0; i < sizeof(SPECIAL) / sizeof(SPECIAL[0]); i++) {
        if (SPECIAL[i].sign == sign) {
            n->kind = SPECIAL[i].kind;
            return true;
        }
    }
    return false;
}

static inline uint32_t group_at(const struct pg_numeric_binary *n, size_t i)
{
    return (uint32_t)n->groups[2 * i] << 8 | n->groups[2 * i + 1];
}

// Whether there are digits behind those that the text form shows. PostgreSQL never stores any.
static bool hides_digits(const struct pg_numeric_binary *n)
{
    static const uint32_t POWERS[] = {1, 10, 100, 1000};
    int hidden = n->count == 0 ? 0 : GROUP_DIGITS * ((int)n->count - 1 - n->weight) - (int)n->shown;
    return hidden >= GROUP_DIGITS || (hidden > 0 && group_at(n, n->count - 1) % POWERS[hidden] != 0);
}

bool pg_numeric_binary_read(struct slice data, struct pg_numeric_binary *ret, struct fault *f)
{
    struct cursor c = cursor_over(data);
    struct pg_numeric_binary n = {0};
    n.count = cursor_u16(&c);
    n.weight = (int16_t)cursor_u16(&c);
    bool is_good = set_sign(&n, cursor_u16(&c));
    n.shown = cursor_u16(&c);
    n.groups = cursor_take(&c, 2 * n.count).data;
    is_good = is_good && !c.is_short && c.at == c.end && n.shown <= SCALE_MAX;
    bool is_zero = true;
    for (size_t i = 0; is_good && i < n.count; i++) {
        uint32_t group = group_at(&n, i);
        is_good = group < GROUP_END;
        is_zero = is_zero && group == 0;
    }
    n.is_negative = n.is_negative && !is_zero;
    is_good = is_good && !hides_digits(&n);
    *ret = n;
    return is_good || pg_write_refuse_binary("a numeric", data, f) == VALUE_DONE;
}

static const char *special_text(enum pg_numeric_kind kind)
{
    return kind == PG_NUMERIC_NAN ? "NaN" : kind == PG_NUMERIC_INFINITY ? "Infinity" : "-Infinity";
}

size_t pg_numeric_binary_text_max(const struct pg_numeric_binary *n)
{
    size_t whole = n->weight < 0 ? 1 : ((size_t)n->weight + 1) * GROUP_DIGITS;
    return whole + n->shown + GROUP_DIGITS + 16;  // sign, point, a group that is cut, a special value's word
}

// The group of 10000^exponent.
static uint32_t group_of(const struct pg_numeric_binary *n, int exponent)
{
    int i = n->weight - exponent;
    return i >= 0 && (size_t)i < n->count ? group_at(n, (size_t)i) : 0;
}

static uint8_t *put_group(uint8_t *at, uint32_t group)
{
    at[0] = (uint8_t)('0' + group / 1000);
    at[1] = (uint8_t)('0' + group / 100 % 10);
    at[2] = (uint8_t)('0' + group / 10 % 10);
    at[3] = (uint8_t)('0' + group % 10);
    return at + GROUP_DIGITS;
}

// Without leading zeros, but for one digit at least.
static uint8_t *put_whole(uint8_t *at, const struct pg_numeric_binary *n)
{
    uint8_t *from = at;
    for (int exponent = n->weight; exponent >= 0; exponent--) {
        at = put_group(at, group_of(n, exponent));
    }
    size_t zeros = 0;
    while (from + zeros < at && from[zeros] == '0') {
        zeros++;
    }
    memmove(from, from + zeros, (size_t)(at - from) - zeros);
    at -= zeros;
    if (at == from) {
        *at++ = '0';
    }
    return at;
}

size_t pg_numeric_binary_write(uint8_t *to, const struct pg_numeric_binary *n)
{
    if (n->kind != PG_NUMERIC_FINITE) {
        const char *text = special_text(n->kind);
        memcpy(to, text, strlen(text));
        return strlen(text);
    }
    uint8_t *at = to;
    if (n->is_negative) {
        *at++ = '-';
    }
    at = put_whole(at, n);
    if (n->shown > 0) {
        *at++ = '.';
        uint8_t *end = at + n->shown;
        for (int exponent = -1; at < end; exponent--) {
            at = put_group(at, group_of(n, exponent));
        }
        at = end;
    }
    return (size_t)(at - to);
}

bool pg_numeric_binary_word(const struct pg_numeric_binary *n, int64_t *ret_word, int *ret_exponent)
{
    if (n->count > WORD_GROUPS) {
        return false;
    }
    int64_t word = 0;
    for (size_t i = 0; i < n->count; i++) {
        word = word * GROUP_END + group_at(n, i);
    }
    *ret_word = n->is_negative ? -word : word;
    *ret_exponent = word == 0 ? 0 : GROUP_DIGITS * (n->weight + 1 - (int)n->count);
    return true;
}

enum value_step pg_numeric_binary_write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    (void)t;
    struct pg_numeric_binary n;
    if (!pg_numeric_binary_read(data, &n, f)) {
        return VALUE_FAULT;
    }
    out->size += pg_numeric_binary_write(bytes_reserve(out, pg_numeric_binary_text_max(&n)), &n);
    return VALUE_DONE;
}

enum value_step pg_numeric_binary_by_text(struct bytes *out, const struct value_type *t,
                                          const struct pg_numeric_binary *n, size_t room,
                                          enum value_step (*append)(struct bytes *, const struct value_type *,
                                                                    struct slice, struct fault *),
                                          struct fault *f)
{
    uint8_t *text = bytes_reserve(out, room + pg_numeric_binary_text_max(n)) + room;
    return append(out, t, slice_make(text, pg_numeric_binary_write(text, n)), f);
}
