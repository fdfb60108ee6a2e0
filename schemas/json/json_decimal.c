#include "schemas/json/json_decimal.h"

#include "core/base/memory.h"

enum {
    JSON_DECIMAL_CHUNK_DIGITS = 9,
    JSON_DECIMAL_CHUNK = 1000000000,
    JSON_DECIMAL_WORDS_SMALL = 16,  // 512 bits, 154 digits: on the stack
    JSON_DECIMAL_DIGITS_SMALL = JSON_DECIMAL_WORDS_SMALL * 10 + JSON_DECIMAL_CHUNK_DIGITS,
};

// The magnitude of a two's complement number as 32-bit words, most significant first; `words` has room for
// all.
static size_t json_decimal_load(uint32_t *words, struct slice unscaled, bool is_negative)
{
    size_t count = (unscaled.size + 3) / 4;
    uint8_t fill = is_negative ? 0xff : 0;
    size_t missing = count * 4 - unscaled.size;
    uint32_t carry = is_negative ? 1 : 0;
    for (size_t i = count; i > 0; i--) {
        uint32_t word = 0;
        for (size_t j = 0; j < 4; j++) {
            size_t at = (i - 1) * 4 + j;
            word = (word << 8) | (at < missing ? fill : unscaled.data[at - missing]);
        }
        if (is_negative) {
            word = ~word + carry;
            carry = carry == 1 && word == 0 ? 1 : 0;
        }
        words[i - 1] = word;
    }
    return count;
}

// Divides by 10^9 again and again; the digits end before `end`. Returns where they begin, without leading
// zeros.
static uint8_t *json_decimal_digits(uint32_t *words, size_t count, uint8_t *end)
{
    uint8_t *at = end;
    size_t first = 0;
    while (true) {
        while (first < count && words[first] == 0) {
            first++;
        }
        if (first == count) {
            break;
        }
        uint64_t rest = 0;
        for (size_t i = first; i < count; i++) {
            uint64_t part = (rest << 32) | words[i];
            words[i] = (uint32_t)(part / JSON_DECIMAL_CHUNK);
            rest = part % JSON_DECIMAL_CHUNK;
        }
        for (int i = 0; i < JSON_DECIMAL_CHUNK_DIGITS; i++) {
            *--at = (uint8_t)('0' + rest % 10);
            rest /= 10;
        }
    }
    while (at < end && *at == '0') {
        at++;
    }
    return at;
}

static void json_decimal_zeros(struct bytes *out, size_t count)
{
    memset(bytes_reserve(out, count + 1), '0', count);
    out->size += count;
}

static void json_decimal_place(struct bytes *out, struct slice digits, int32_t scale)
{
    size_t fraction = scale > 0 ? (size_t)scale : 0;
    size_t whole = digits.size > fraction ? digits.size - fraction : 0;
    if (whole == 0) {
        bytes_append_byte(out, '0');
    }
    bytes_append(out, digits.data, whole);
    if (scale < 0 && digits.size > 0) {
        json_decimal_zeros(out, (size_t)-scale);
    }
    if (fraction > 0) {
        bytes_append_byte(out, '.');
        json_decimal_zeros(out, fraction - (digits.size - whole));
        bytes_append(out, digits.data + whole, digits.size - whole);
    }
}

bool json_decimal_append(struct bytes *out, struct slice unscaled, int32_t scale)
{
    uint32_t words_small[JSON_DECIMAL_WORDS_SMALL];
    uint8_t digits_small[JSON_DECIMAL_DIGITS_SMALL];
    if (unscaled.size > JSON_DECIMAL_BYTES_MAX || scale < -JSON_DECIMAL_SCALE_MAX ||
        scale > JSON_DECIMAL_SCALE_MAX) {
        return false;
    }
    bool is_negative = unscaled.size > 0 && (unscaled.data[0] & 0x80) != 0;
    size_t word_count = (unscaled.size + 3) / 4;
    size_t digits_max = word_count * 10 + JSON_DECIMAL_CHUNK_DIGITS;  // 32 bits are 9.63 digits
    uint32_t *words = words_small;
    uint8_t *digits = digits_small;
    void *large CLEANUP(memory_free_pointer) = NULL;
    if (word_count > JSON_DECIMAL_WORDS_SMALL) {
        large = memory_new(word_count * sizeof *words + digits_max);
        words = large;
        digits = (uint8_t *)large + word_count * sizeof *words;
    }
    size_t count = json_decimal_load(words, unscaled, is_negative);
    const uint8_t *begin = json_decimal_digits(words, count, digits + digits_max);
    bytes_append_byte(out, '"');
    if (is_negative) {
        bytes_append_byte(out, '-');
    }
    json_decimal_place(out, slice_make(begin, (size_t)(digits + digits_max - begin)), scale);
    bytes_append_byte(out, '"');
    return true;
}
