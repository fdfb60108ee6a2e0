// PostgreSQL takes the shortest digits that read back as the same number and, of these, the nearest to it
// (Ryu). The nearest number of n digits reads back if any of n digits does, except for a power of two, where
// the numbers above are twice as far apart as those below: there the next one above may.
#include "connectors/postgres/values/pg_float.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DOUBLE_DIGITS_MAX = 17,
    FLOAT_DIGITS_MAX = 9,
    DOUBLE_FIXED_EXPONENT_MAX = 15,  // from 1e+15 on with an exponent
    FLOAT_FIXED_EXPONENT_MAX = 6,
    FIXED_EXPONENT_MIN = -4,
    EXACT_POWER_MAX = 22,  // the highest power of ten that a double has exactly
    TEXT_SIZE_MAX = 40,
    EXACT_TEXT_SIZE = 160,
};

struct decimal {
    char digits[DOUBLE_DIGITS_MAX + 1];
    int count;
    int exponent;  // of the first digit
};

static void print_digits(double value, int count, struct decimal *ret)
{
    char text[TEXT_SIZE_MAX];
    (void)snprintf(text, sizeof(text), "%.*e", count - 1, value);
    ret->count = 0;
    char *at = text;
    for (; *at != 'e'; at++) {
        if (*at != '.') {
            ret->digits[ret->count++] = *at;
        }
    }
    ret->digits[ret->count] = '\0';
    ret->exponent = (int)strtol(at + 1, NULL, 10);
}

static void print_number(const struct decimal *d, char text[TEXT_SIZE_MAX])
{
    (void)snprintf(text, TEXT_SIZE_MAX, "%se%d", d->digits, d->exponent - d->count + 1);
}

// Whether the digits are exactly the number, not only rounded to it.
static bool is_exactly(const struct decimal *d, long double number)
{
    char text[EXACT_TEXT_SIZE];
    (void)snprintf(text, sizeof(text), "%.*Le", EXACT_TEXT_SIZE - TEXT_SIZE_MAX, number);
    int i = 0;
    for (const char *at = text; *at != 'e'; at++) {
        if (*at != '.' && *at != (i < d->count ? d->digits[i] : '0')) {
            return false;
        }
        i += *at != '.' ? 1 : 0;
    }
    return true;
}

// PostgreSQL does not take a number half-way between two, which would read back if its last bit is even.
static bool is_same(const struct decimal *d, double value, bool is_float)
{
    double below = is_float ? (double)nextafterf((float)value, 0) : nextafter(value, 0);
    double above = is_float ? (double)nextafterf((float)value, INFINITY) : nextafter(value, (double)INFINITY);
    long double low = ((long double)value + (long double)below) / 2;
    long double high = isinf(above) ? (long double)value + ((long double)value - low)
                                    : ((long double)value + (long double)above) / 2;
    char text[TEXT_SIZE_MAX];
    print_number(d, text);
    long double read = strtold(text, NULL);
    if (read != low && read != high) {
        return read > low && read < high;
    }
    return !is_exactly(d, read) && (is_float ? (double)strtof(text, NULL) : strtod(text, NULL)) == value;
}

static void increment(struct decimal *d)
{
    int i = d->count - 1;
    for (; i >= 0 && d->digits[i] == '9'; i--) {
        d->digits[i] = '0';
    }
    if (i >= 0) {
        d->digits[i]++;
        return;
    }
    d->digits[0] = '1';
    d->exponent++;
}

// `value` is positive and finite.
static bool try_digits(double value, int count, bool is_float, struct decimal *ret)
{
    print_digits(value, count, ret);
    if (is_same(ret, value, is_float)) {
        return true;
    }
    int exponent;
    if (frexp(value, &exponent) != 0.5) {
        return false;
    }
    increment(ret);
    return is_same(ret, value, is_float);
}

static void find_shortest(double value, bool is_float, struct decimal *ret)
{
    int low = 1;
    int high = is_float ? FLOAT_DIGITS_MAX : DOUBLE_DIGITS_MAX;
    while (low < high) {
        int middle = (low + high) / 2;
        if (try_digits(value, middle, is_float, ret)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    (void)try_digits(value, low, is_float, ret);
}

static void write_fixed(struct bytes *out, const struct decimal *d)
{
    if (d->exponent < 0) {
        bytes_append_string(out, "0.");
        for (int i = -1; i > d->exponent; i--) {
            bytes_append_byte(out, '0');
        }
        bytes_append_string(out, d->digits);
        return;
    }
    for (int i = 0; i <= d->exponent || i < d->count; i++) {
        if (i == d->exponent + 1) {
            bytes_append_byte(out, '.');
        }
        bytes_append_byte(out, i < d->count ? (uint8_t)d->digits[i] : '0');
    }
}

static void write_number(struct bytes *out, double value, bool is_float)
{
    if (isnan(value)) {
        bytes_append_string(out, "NaN");
        return;
    }
    bytes_append_string(out, signbit(value) ? "-" : "");
    if (isinf(value) || value == 0) {
        bytes_append_string(out, value == 0 ? "0" : "Infinity");
        return;
    }
    struct decimal d;
    find_shortest(fabs(value), is_float, &d);
    int fixed_max = is_float ? FLOAT_FIXED_EXPONENT_MAX : DOUBLE_FIXED_EXPONENT_MAX;
    if (d.exponent >= FIXED_EXPONENT_MIN && d.exponent < fixed_max) {
        write_fixed(out, &d);
        return;
    }
    bytes_append_byte(out, (uint8_t)d.digits[0]);
    if (d.count > 1) {
        bytes_format(out, ".%s", d.digits + 1);
    }
    bytes_format(out, "e%c%02d", d.exponent < 0 ? '-' : '+', abs(d.exponent));
}

void pg_float_write_double(struct bytes *out, double value)
{
    write_number(out, value, false);
}

void pg_float_write_float(struct bytes *out, float value)
{
    write_number(out, (double)value, true);
}

static const double POWERS[EXACT_POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum attempt { SAME, OTHER, UNSURE };

// The number of `digits` digits that is nearest to `value`, which has the decimal exponent `exponent`. A
// quotient or product of an integer below 2^53 and a power of ten that a double has exactly is what strtod
// gives.
static enum attempt round_to(double value, int exponent, int digits, double *ret)
{
    int power = digits - 1 - exponent;
    if (power > EXACT_POWER_MAX || power < -EXACT_POWER_MAX) {
        return UNSURE;
    }
    double scaled = power >= 0 ? value * POWERS[power] : value / POWERS[-power];
    double whole = nearbyint(scaled);
    if (fabs(fabs(scaled - whole) - 0.5) < 1e-6) {
        return UNSURE;  // which of two is nearer is not known: `scaled` is rounded itself
    }
    *ret = power >= 0 ? whole / POWERS[power] : whole * POWERS[-power];
    uint64_t bits;
    memcpy(&bits, ret, sizeof(bits));
    if ((bits & 0x1fffffff) == 0x10000000) {
        return UNSURE;  // half-way between two floats: a text is rounded to a float at once
    }
    return (float)*ret == (float)value ? SAME : OTHER;
}

static double read_back_exactly(double value)
{
    struct decimal d;
    find_shortest(value, true, &d);
    char text[TEXT_SIZE_MAX];
    print_number(&d, text);
    return strtod(text, NULL);
}

// `value` is positive and finite.
static double read_back(double value)
{
    int exponent2;
    if (frexp(value, &exponent2) == 0.5 || exponent2 < -60 || exponent2 > 60) {
        return read_back_exactly(value);
    }
    int exponent = (int)floor((exponent2 - 1) * 0.30102999566398120);
    double next = exponent + 1 >= 0 ? POWERS[exponent + 1] : 1 / POWERS[-exponent - 1];
    exponent += value >= next ? 1 : 0;
    double best = value;
    for (int digits = FLOAT_DIGITS_MAX; digits >= 1; digits--) {
        double shorter;
        enum attempt attempt = round_to(value, exponent, digits, &shorter);
        if (attempt == UNSURE || (attempt == OTHER && digits == FLOAT_DIGITS_MAX)) {
            return read_back_exactly(value);
        }
        if (attempt == OTHER) {
            break;
        }
        best = shorter;
    }
    return best;
}

double pg_float_read_back(float value)
{
    double exact = (double)value;
    double size = fabs(exact);
    if (isnan(exact)) {
        return (double)NAN;  // as a text reads: one NaN
    }
    if (isinf(exact) || (size < (1 << 24) && size == floor(size))) {
        return exact;
    }
    return copysign(read_back(size), exact);
}

float pg_float_from_half(uint16_t half)
{
    int exponent = half >> 10 & 0x1f;
    int mantissa = half & 0x3ff;
    float size;
    if (exponent == 0x1f && mantissa != 0) {
        return NAN;
    }
    if (exponent == 0x1f) {
        size = INFINITY;
    } else if (exponent == 0) {
        size = ldexpf((float)mantissa, -24);
    } else {
        size = ldexpf((float)(mantissa | 0x400), exponent - 25);
    }
    return (half & 0x8000) != 0 ? -size : size;
}

bool pg_float_take(struct slice text, size_t *at, double *ret)
{
    char copy[TEXT_SIZE_MAX];
    size_t size = 0;
    while (*at + size < text.size && size < sizeof(copy) - 1 && text.data[*at + size] != '\0' &&
           strchr("0123456789.-+eNaInfity", text.data[*at + size]) != NULL) {
        copy[size] = (char)text.data[*at + size];
        size++;
    }
    copy[size] = '\0';
    char *end;
    *ret = strtod(copy, &end);
    if (size == 0 || end != copy + size) {
        return false;
    }
    *at += size;
    return true;
}
