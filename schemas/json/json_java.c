// The format of Java's Double.toString: plain for 10^-3 <= |x| < 10^7, else one digit before the point and an
// exponent. Both have at least one digit after the point.
#include "schemas/json/json_java.h"

#include <math.h>
#include <stdlib.h>

#include "schemas/json/json_text.h"

enum {
    DIGITS_MAX = 32,  // a double's shortest form: 17 digits, and zeros between them and the point
    PLAIN_EXPONENT_MIN = -3,
    PLAIN_EXPONENT_MAX = 6,
};

// 0.DDD times 10^point, without zeros at either end; no digits for zero.
struct decimal {
    bool is_negative;
    char digits[DIGITS_MAX];
    int count;
    int point;
};

// `text` is what json_text_double writes: [-]digits[.digits][e(+|-)digits].
static struct decimal parse(const char *text)
{
    struct decimal d = {.is_negative = *text == '-'};
    bool has_point = false;
    for (text += d.is_negative ? 1 : 0; *text != '\0' && *text != 'e'; text++) {
        if (*text == '.') {
            has_point = true;
        } else if (*text != '0' || d.count > 0) {
            d.point += has_point ? 0 : 1;
            d.digits[d.count] = *text;
            d.count += d.count < DIGITS_MAX - 1 ? 1 : 0;
        } else {
            d.point -= has_point ? 1 : 0;
        }
    }
    d.point += *text == 'e' ? (int)strtol(text + 1, NULL, 10) : 0;
    while (d.count > 0 && d.digits[d.count - 1] == '0') {
        d.count--;
    }
    return d;
}

static void append_zeros(struct bytes *out, int count)
{
    for (int i = 0; i < count; i++) {
        bytes_append_byte(out, '0');
    }
}

// Appends the digits [from, to), with zeros beyond the last one; "0" when the range is empty.
static void append_digits(struct bytes *out, const struct decimal *d, int from, int to)
{
    for (int i = from; i < to; i++) {
        bytes_append_byte(out, i < d->count ? (uint8_t)d->digits[i] : '0');
    }
    if (to <= from) {
        bytes_append_byte(out, '0');
    }
}

static void append_layout(struct bytes *out, const struct decimal *d)
{
    if (d->is_negative) {
        bytes_append_byte(out, '-');
    }
    int exponent = d->count == 0 ? 0 : d->point - 1;
    bool is_plain = exponent >= PLAIN_EXPONENT_MIN && exponent <= PLAIN_EXPONENT_MAX;
    int point = is_plain ? d->point : 1;
    append_digits(out, d, 0, point);
    bytes_append_byte(out, '.');
    append_zeros(out, -point);
    append_digits(out, d, point > 0 ? point : 0, d->count);
    if (!is_plain) {
        bytes_format(out, "E%d", exponent);
    }
}

static void append_shortest(struct bytes *out, struct bytes *shortest)
{
    struct decimal d = parse(bytes_text(shortest));
    append_layout(out, &d);
    bytes_clear(shortest);
}

void json_java_double(struct bytes *out, double value)
{
    if (!isfinite(value)) {
        json_text_double(out, value);
        return;
    }
    struct bytes shortest = {0};
    json_text_double(&shortest, value);
    append_shortest(out, &shortest);
}

void json_java_float(struct bytes *out, float value)
{
    if (!isfinite(value)) {
        json_text_float(out, value);
        return;
    }
    struct bytes shortest = {0};
    json_text_float(&shortest, value);
    append_shortest(out, &shortest);
}
