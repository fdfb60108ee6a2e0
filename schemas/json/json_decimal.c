#include "schemas/json/json_decimal.h"

#include "core/base/memory.h"
#include "core/base/radix.h"
#include "core/base/text.h"
#include "schemas/json/json_text.h"

enum {
    SMALL_BYTES = 64,  // 154 digits: on the stack
    SMALL_DIGITS = 160,
};

static void append_zeros(struct bytes *out, size_t count)
{
    memset(bytes_reserve(out, count + 1), '0', count);
    out->size += count;
}

static void append_digits(struct bytes *out, const uint8_t *begin, const uint8_t *end, int32_t scale)
{
    while (begin < end && *begin == '0') {
        begin++;
    }
    size_t count = (size_t)(end - begin);
    size_t fraction = scale > 0 ? (size_t)scale : 0;
    size_t whole = count > fraction ? count - fraction : 0;
    if (whole == 0) {
        bytes_append_byte(out, '0');
    }
    bytes_append(out, begin, whole);
    if (scale < 0 && count > 0) {
        append_zeros(out, (size_t)-scale);
    }
    if (fraction > 0) {
        bytes_append_byte(out, '.');
        append_zeros(out, fraction - (count - whole));
        bytes_append(out, begin + whole, count - whole);
    }
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

// Most decimals have at most 64 bits.
static void append_small(struct bytes *out, struct slice unscaled, int32_t scale)
{
    uint8_t digits[TEXT_DIGITS_MAX];
    uint64_t number = (unscaled.data[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < unscaled.size; i++) {
        number = number << 8 | unscaled.data[i];
    }
    if ((unscaled.data[0] & 0x80) != 0) {
        number = 0 - number;
        bytes_append_byte(out, '-');
    }
    uint8_t *end = digits + sizeof(digits);
    append_digits(out, text_digits(end, number), end, scale);
}

// `magnitude` and `digits` are scratch space: unscaled.size bytes, and `count` digits.
static void append_number(struct bytes *out, struct slice unscaled, int32_t scale, uint8_t *magnitude,
                          uint8_t *digits, size_t count)
{
    memcpy(magnitude, unscaled.data, unscaled.size);
    if ((unscaled.data[0] & 0x80) != 0) {
        negate(magnitude, unscaled.size);
        bytes_append_byte(out, '-');
    }
    radix_to_digits(slice_make(magnitude, unscaled.size), digits, count);
    append_digits(out, digits, digits + count, scale);
}

bool json_decimal_append(struct bytes *out, struct slice unscaled, int32_t scale)
{
    uint8_t magnitude[SMALL_BYTES];
    uint8_t digits[SMALL_DIGITS];
    if (unscaled.size > JSON_DECIMAL_BYTES_MAX || scale < -JSON_DECIMAL_SCALE_MAX ||
        scale > JSON_DECIMAL_SCALE_MAX) {
        return false;
    }
    unscaled = unscaled.size == 0 ? slice_make("", 1) : unscaled;  // an empty value is 0
    size_t count = radix_digits_max(unscaled.size);
    if (unscaled.size <= sizeof(uint64_t)) {
        append_small(out, unscaled, scale);
    } else if (unscaled.size <= SMALL_BYTES) {
        append_number(out, unscaled, scale, magnitude, digits, count);
    } else {
        uint8_t *large CLEANUP(memory_free_pointer) = memory_new(unscaled.size + count);
        append_number(out, unscaled, scale, large, large + unscaled.size, count);
    }
    return true;
}
