// Writes JSON's scalar values fast: only doubles with many digits use printf.
#ifndef SCHEMAS_JSON_JSON_TEXT_H
#define SCHEMAS_JSON_JSON_TEXT_H

#include "core/base/bytes.h"

/** Appends the text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void json_text_string(struct bytes *out, struct slice text);

/** The same without the quotes, for a part of a JSON string. */
void json_text_content(struct bytes *out, struct slice text);

/** Appends the text of a JSON string, given as in valid JSON but without its quotes. An unpaired surrogate
 * becomes U+FFFD. */
void json_text_unescape(struct bytes *out, struct slice escaped);

void json_text_integer(struct bytes *out, int64_t value);

/** The shortest decimal that reads back as the same value; "NaN", "Infinity", "-Infinity" as strings. */
void json_text_double(struct bytes *out, double value);
void json_text_float(struct bytes *out, float value);

/** RFC 4648 base64 with padding, as a JSON string. */
void json_text_base64(struct bytes *out, struct slice data);

/** Size of the UTF-8 character at `at`, 1 to 4 bytes; 0 when it is invalid (truncated, overlong, surrogate,
 * too large). */
size_t json_text_character(const uint8_t *at, const uint8_t *end);

/** The first byte that is a control character, quote, backslash or not ASCII, else `end`: the bytes before it
 * need no escape in a JSON string. */
const uint8_t *json_text_plain_end(const uint8_t *at, const uint8_t *end);

/** Writes `value` with exactly `width` digits at `at`. */
static inline void json_text_padded(uint8_t *at, uint32_t value, size_t width)
{
    while (width > 0) {
        at[--width] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

#endif
