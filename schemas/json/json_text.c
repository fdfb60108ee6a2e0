#include "schemas/json/json_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/cursor.h"
#include "core/base/text.h"

enum {
    JSON_TEXT_DOUBLE_MAX = 40,
    JSON_TEXT_FRACTION_MAX = 6,  // digits after the point that the fast path tries
};

static const char JSON_TEXT_HEX[] = "0123456789abcdef";
static const char JSON_TEXT_SHORT[] = "btnvfr";              // 0x08 to 0x0d; JSON has no \v
static const char JSON_TEXT_REPLACEMENT[] = "\xef\xbf\xbd";  // U+FFFD
static const char JSON_TEXT_BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const uint8_t *json_text_plain_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        size_t plain = text_unmarked(text_mark_special(text_load(at, (size_t)(end - at))));
        at += plain;
        if (plain < sizeof(uint64_t)) {
            break;
        }
    }
    return at;
}

size_t json_text_character(const uint8_t *at, const uint8_t *end)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = at[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - at) < size) {
        return 0;
    }
    uint32_t code = lead & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = (code << 6) | (at[i] & 0x3fU);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < LEAST[size] || code > 0x10ffff || is_surrogate ? 0 : size;
}

// Appends one character that is not plain; returns the start of the next one.
static const uint8_t *append_escaped(struct bytes *out, const uint8_t *at, const uint8_t *end)
{
    if (*at >= 0x80) {
        size_t size = json_text_character(at, end);
        if (size == 0) {
            bytes_append(out, JSON_TEXT_REPLACEMENT, 3);
            return at + 1;
        }
        bytes_append(out, at, size);
        return at + size;
    }
    uint8_t *place = bytes_reserve(out, 6);
    place[0] = '\\';
    if (*at == '"' || *at == '\\') {
        place[1] = *at;
        out->size += 2;
    } else if (*at >= 0x08 && *at <= 0x0d && *at != 0x0b) {
        place[1] = (uint8_t)JSON_TEXT_SHORT[*at - 0x08];
        out->size += 2;
    } else {
        place[1] = 'u';
        place[2] = '0';
        place[3] = '0';
        place[4] = (uint8_t)JSON_TEXT_HEX[*at >> 4];
        place[5] = (uint8_t)JSON_TEXT_HEX[*at & 15];
        out->size += 6;
    }
    return at + 1;
}

// Each word is copied before its first character that needs an escape is found.
void json_text_content(struct bytes *out, struct slice text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.size > 0 ? text.data + text.size : text.data;
    while (at < end) {
        uint8_t *begin = bytes_reserve(out, (size_t)(end - at) + sizeof(uint64_t));
        uint8_t *place = begin;
        size_t plain = sizeof(uint64_t);
        while (plain == sizeof(uint64_t) && at < end) {
            uint64_t word = text_load(at, (size_t)(end - at));
            plain = text_unmarked(text_mark_special(word));
            memcpy(place, &word, sizeof(word));
            place += plain;
            at += plain;
        }
        out->size += (size_t)(place - begin);
        if (at < end) {
            at = append_escaped(out, at, end);
        }
    }
}

void json_text_string(struct bytes *out, struct slice text)
{
    *bytes_reserve(out, text.size + 2) = '"';
    out->size++;
    json_text_content(out, text);
    bytes_append_byte(out, '"');
}

static void put_character(struct bytes *out, uint32_t code)
{
    static const uint8_t LEADS[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    uint8_t *at = bytes_reserve(out, size);
    for (size_t i = size - 1; i > 0; i--) {
        at[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    at[0] = (uint8_t)(LEADS[size] | code);
    out->size += size;
}

// The four digits after \u.
static uint32_t read_unit(struct cursor *c)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t digit = cursor_u8(c);
        unit = unit << 4 | ((digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10) & 15);
    }
    return unit;
}

// A character from one \u escape, or from two that form a surrogate pair.
static uint32_t read_character(struct cursor *c)
{
    uint32_t unit = read_unit(c);
    struct cursor ahead = *c;
    if (unit >= 0xd800 && unit <= 0xdbff && cursor_u8(&ahead) == '\\' && cursor_u8(&ahead) == 'u') {
        uint32_t low = read_unit(&ahead);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *c = ahead;
            return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return unit >= 0xd800 && unit <= 0xdfff ? 0xfffd : unit;
}

void json_text_unescape(struct bytes *out, struct slice escaped)
{
    struct cursor c = cursor_over(escaped);
    while (cursor_left(&c) > 0) {
        uint32_t byte = cursor_u8(&c);
        if (byte != '\\') {
            bytes_append_byte(out, (uint8_t)byte);
            continue;
        }
        byte = cursor_u8(&c);
        const char *letter = memchr(JSON_TEXT_SHORT, (int)byte, sizeof JSON_TEXT_SHORT - 1);
        uint32_t code = byte == 'u'      ? read_character(&c)
                        : letter != NULL ? (uint32_t)(0x08 + (letter - JSON_TEXT_SHORT))
                                         : byte;
        if (!c.is_short) {
            put_character(out, code);
        }
    }
}

void json_text_integer(struct bytes *out, int64_t value)
{
    uint8_t text[TEXT_DIGITS_MAX + 1];
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint8_t *end = text + sizeof text;
    uint8_t *at = text_digits(end, magnitude);
    if (value < 0) {
        *--at = '-';
    }
    bytes_append(out, at, (size_t)(end - at));
}

// Fast path: most stored doubles have few digits and few decimals. While n and 10^k are exact, n / 10^k is
// correctly rounded. So if it equals the value, and n is below `limit` (15 or 6 digits), n and k are the
// value's shortest form.
static bool append_short(struct bytes *out, double value, double limit, bool is_float)
{
    static const double POWERS[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    double magnitude = fabs(value);
    for (size_t k = 0; k <= JSON_TEXT_FRACTION_MAX && magnitude * POWERS[k] < limit; k++) {
        uint64_t n = (uint64_t)(magnitude * POWERS[k] + 0.5);
        double back = (double)n / POWERS[k];
        if (is_float ? (float)back != (float)magnitude : back < magnitude || back > magnitude) {
            continue;
        }
        uint64_t power = (uint64_t)POWERS[k];
        if (signbit(value)) {
            bytes_append_byte(out, '-');
        }
        json_text_integer(out, (int64_t)(n / power));
        if (k > 0) {
            uint8_t *place = bytes_reserve(out, k + 1);
            place[0] = '.';
            json_text_padded(place + 1, (uint32_t)(n % power), k);
            out->size += k + 1;
        }
        return true;
    }
    return false;
}

static bool append_special(struct bytes *out, double value)
{
    if (isnan(value)) {
        bytes_append(out, "\"NaN\"", 5);
        return true;
    }
    if (isinf(value)) {
        bytes_append_string(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return true;
    }
    return false;
}

void json_text_double(struct bytes *out, double value)
{
    if (append_special(out, value) || append_short(out, value, 1e15, false)) {
        return;
    }
    char text[JSON_TEXT_DOUBLE_MAX];
    int size = 0;
    for (int digits = 15; digits <= 17; digits++) {
        size = snprintf(text, sizeof text, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (back == value) {
            break;
        }
    }
    bytes_append(out, text, (size_t)size);
}

void json_text_float(struct bytes *out, float value)
{
    if (append_special(out, (double)value) || append_short(out, (double)value, 1e6, true)) {
        return;
    }
    char text[JSON_TEXT_DOUBLE_MAX];
    int size = 0;
    for (int digits = 6; digits <= 9; digits++) {
        size = snprintf(text, sizeof text, "%.*g", digits, (double)value);
        float back = strtof(text, NULL);
        if (back == value) {
            break;
        }
    }
    bytes_append(out, text, (size_t)size);
}

void json_text_base64(struct bytes *out, struct slice data)
{
    uint8_t *at = bytes_reserve(out, (data.size + 2) / 3 * 4 + 2);
    const uint8_t *begin = at;
    *at++ = '"';
    for (size_t i = 0; i < data.size; i += 3) {
        size_t left = data.size - i;
        uint32_t group = (uint32_t)data.data[i] << 16;
        group |= left > 1 ? (uint32_t)data.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)data.data[i + 2] : 0;
        at[0] = (uint8_t)JSON_TEXT_BASE64[group >> 18];
        at[1] = (uint8_t)JSON_TEXT_BASE64[(group >> 12) & 63];
        at[2] = left > 1 ? (uint8_t)JSON_TEXT_BASE64[(group >> 6) & 63] : '=';
        at[3] = left > 2 ? (uint8_t)JSON_TEXT_BASE64[group & 63] : '=';
        at += 4;
    }
    *at++ = '"';
    out->size += (size_t)(at - begin);
}
