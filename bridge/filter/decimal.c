#include "bridge/filter/decimal.h"

#include "core/base/cursor.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool take_sign(struct cursor *c)
{
    bool is_minus = c->at < c->end && *c->at == '-';
    if (is_minus || (c->at < c->end && *c->at == '+')) {
        c->at++;
    }
    return is_minus;
}

/** Takes digits with at most one '.'; ret_point counts the digits before it. False without any digit. */
static bool take_digits(struct cursor *c, struct slice *ret, int64_t *ret_point)
{
    const uint8_t *start = c->at;
    const uint8_t *point = NULL;
    int64_t count = 0;
    for (; c->at < c->end && (is_digit(*c->at) || (*c->at == '.' && point == NULL)); c->at++) {
        if (*c->at == '.') {
            point = c->at;
        } else {
            count++;
        }
    }
    *ret = slice_make(start, (size_t)(c->at - start));
    *ret_point = point == NULL ? count : point - start;
    return count > 0;
}

static bool take_exponent(struct cursor *c, int64_t *ret)
{
    *ret = 0;
    if (c->at == c->end) {
        return true;
    }
    if (*c->at != 'e' && *c->at != 'E') {
        return false;
    }
    c->at++;
    bool is_minus = take_sign(c);
    if (c->at == c->end) {
        return false;
    }
    for (; c->at < c->end && is_digit(*c->at); c->at++) {
        *ret = *ret * 10 + (*c->at - '0');
        if (*ret > DECIMAL_EXPONENT_MAX) {
            return false;
        }
    }
    *ret = is_minus ? -*ret : *ret;
    return c->at == c->end;
}

static bool is_padding(uint8_t byte)
{
    return byte == '0' || byte == '.';
}

bool decimal_read(struct slice text, struct decimal *ret)
{
    struct cursor c = cursor_over(text);
    struct decimal d = {.is_negative = take_sign(&c)};
    int64_t point = 0;
    int64_t exponent = 0;
    if (!take_digits(&c, &d.digits, &point) || !take_exponent(&c, &exponent)) {
        return false;
    }
    d.magnitude = point + exponent;
    for (; d.digits.size > 0 && is_padding(*d.digits.data); d.digits.data++, d.digits.size--) {
        d.magnitude -= *d.digits.data == '0' ? 1 : 0;
    }
    while (d.digits.size > 0 && is_padding(d.digits.data[d.digits.size - 1])) {
        d.digits.size--;
    }
    if (d.digits.size == 0) {
        d = (struct decimal){0};
    }
    *ret = d;
    return true;
}

/** Compares the digits behind "0."; the shorter one goes on with zeros, and no number ends with one. */
static int compare_digits(struct slice a, struct slice b)
{
    const uint8_t *x = a.data;
    const uint8_t *y = b.data;
    while (x < a.data + a.size && y < b.data + b.size) {
        if (*x == '.') {
            x++;
        } else if (*y == '.') {
            y++;
        } else if (*x != *y) {
            return *x < *y ? -1 : 1;
        } else {
            x++;
            y++;
        }
    }
    return (x < a.data + a.size) - (y < b.data + b.size);
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
    int sign_a = a->digits.size == 0 ? 0 : a->is_negative ? -1 : 1;
    int sign_b = b->digits.size == 0 ? 0 : b->is_negative ? -1 : 1;
    if (sign_a != sign_b || sign_a == 0) {
        return sign_a - sign_b;
    }
    int larger = a->magnitude != b->magnitude ? (a->magnitude < b->magnitude ? -1 : 1)
                                              : compare_digits(a->digits, b->digits);
    return sign_a * larger;
}
