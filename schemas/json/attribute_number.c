#include "schemas/json/attribute_number.h"

#include "schemas/json/json_text.h"

enum {
    DIGITS_MAX = 38,
    MAGNITUDE_MAX = 125,  // of the first digit, as a power of ten
    MAGNITUDE_MIN = -130,
    EXPONENT_MAX = 1000000,  // a greater one is not read to its end
};

/** digits × 10^exponent; digits without zeros at either end. */
struct number {
    bool is_negative;
    uint8_t digits[DIGITS_MAX];
    size_t count;      // of significant digits, also those that are not in `digits`
    int64_t exponent;  // of the last one
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/** The number behind `e` or `E`. */
static int64_t read_exponent(const uint8_t *at, const uint8_t *end)
{
    int64_t value = 0;
    bool is_negative = at < end && *at == '-';
    at += at < end && !is_digit(*at) ? 1 : 0;
    for (; at < end && value < EXPONENT_MAX; at++) {
        value = value * 10 + (*at - '0');
    }
    return is_negative ? -value : value;
}

static struct number read_number(struct slice text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = at + text.size;
    struct number n = {.is_negative = at < end && *at == '-'};
    bool is_fraction = false;
    size_t zeros = 0;  // behind the last digit that is none
    for (at += n.is_negative ? 1 : 0; at < end && (is_digit(*at) || *at == '.'); at++) {
        if (*at == '.') {
            is_fraction = true;
            continue;
        }
        n.exponent -= is_fraction ? 1 : 0;
        if (*at == '0') {
            zeros++;
            continue;
        }
        for (; n.count > 0 && zeros > 0; zeros--) {
            if (n.count < DIGITS_MAX) {
                n.digits[n.count] = '0';
            }
            n.count++;
        }
        zeros = 0;
        if (n.count < DIGITS_MAX) {
            n.digits[n.count] = *at;
        }
        n.count++;
    }
    n.exponent += (int64_t)zeros;
    n.exponent += at < end ? read_exponent(at + 1, end) : 0;
    return n;
}

static void append_zeros(struct bytes *out, int64_t count)
{
    for (; count > 0; count--) {
        bytes_append_byte(out, '0');
    }
}

/** d.dddE+x, for a whole number that has too many zeros behind it. */
static void append_scientific(struct bytes *out, const struct number *n, int64_t magnitude)
{
    bytes_append_byte(out, n->digits[0]);
    if (n->count > 1) {
        bytes_append_byte(out, '.');
        bytes_append(out, n->digits + 1, n->count - 1);
    }
    bytes_append_string(out, "E+");
    json_text_integer(out, magnitude);
}

static void append_plain(struct bytes *out, const struct number *n, int64_t magnitude)
{
    if (magnitude < 0) {
        bytes_append_string(out, "0.");
        append_zeros(out, -magnitude - 1);
        bytes_append(out, n->digits, n->count);
        return;
    }
    size_t whole = n->exponent >= 0 ? n->count : (size_t)magnitude + 1;
    bytes_append(out, n->digits, whole);
    append_zeros(out, n->exponent);
    if (n->count > whole) {
        bytes_append_byte(out, '.');
        bytes_append(out, n->digits + whole, n->count - whole);
    }
}

static void append_text(struct bytes *out, struct slice text)
{
    bytes_append_string(out, "{\"S\":\"");
    bytes_append_slice(out, text);
    bytes_append_string(out, "\"}");
}

static void append_any(struct bytes *out, struct slice text)
{
    const struct number n = read_number(text);
    int64_t magnitude = n.exponent + (int64_t)n.count - 1;
    if (n.count == 0) {
        bytes_append_string(out, "{\"N\":\"0\"}");
        return;
    }
    if (n.count > DIGITS_MAX || magnitude > MAGNITUDE_MAX || magnitude < MAGNITUDE_MIN) {
        append_text(out, text);
        return;
    }
    bytes_append_string(out, "{\"N\":\"");
    if (n.is_negative) {
        bytes_append_byte(out, '-');
    }
    if (n.exponent > 0 && magnitude >= DIGITS_MAX) {
        append_scientific(out, &n, magnitude);
    } else {
        append_plain(out, &n, magnitude);
    }
    bytes_append_string(out, "\"}");
}

void attribute_number_append(struct bytes *out, struct slice text)
{
    bool is_short = text.size <= DIGITS_MAX;
    for (size_t i = 0; i < text.size && is_short; i++) {
        is_short = (text.data[i] | 0x20) != 'e';
    }
    if (!is_short) {
        append_any(out, text);
        return;
    }
    bytes_append_string(out, "{\"N\":\"");
    bytes_append_slice(out, text);
    bytes_append_string(out, "\"}");
}
