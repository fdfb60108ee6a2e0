#include "bridge/payload/payload_text.h"

#include <time.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "schemas/json/json_text.h"

// Years 1 to 9999, as RFC 3339 has them.
#define TIME_MIN_US (INT64_C(-62135596800) * CLOCK_US_PER_S)
#define TIME_MAX_US (INT64_C(253402300800) * CLOCK_US_PER_S - 1)

int64_t payload_time_us(const struct record *r, const struct event_view *e)
{
    int64_t time_us = e->commit_time_us;
    if (time_us == 0 && r->timestamp_ms > 0) {
        time_us = r->timestamp_ms * CLOCK_US_PER_MS;
    }
    return time_us < TIME_MIN_US || time_us > TIME_MAX_US ? 0 : time_us;
}

const char *payload_operation_name(char op)
{
    switch (op) {
    case 'c':
        return "create";
    case 'r':
        return "read";
    case 'u':
        return "update";
    case 'd':
        return "delete";
    case 't':
        return "truncate";
    case 'm':
        return "message";
    default:
        return "unknown";
    }
}

static char *put_digits(char *at, int value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

/** Formats the time up to the second's fraction. */
static void format_second(time_t second_s, char *ret)
{
    struct tm tm;
    if (gmtime_r(&second_s, &tm) == NULL) {
        memset(&tm, 0, sizeof(tm));
    }
    char *at = put_digits(ret, tm.tm_year + 1900, 4);
    *at++ = '-';
    at = put_digits(at, tm.tm_mon + 1, 2);
    *at++ = '-';
    at = put_digits(at, tm.tm_mday, 2);
    *at++ = 'T';
    at = put_digits(at, tm.tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, tm.tm_min, 2);
    *at++ = ':';
    at = put_digits(at, tm.tm_sec, 2);
    *at = '.';
}

void payload_append_time(struct bytes *out, int64_t wall_us)
{
    // Events of one transaction have the same second: its text is cached.
    static time_t known_s = -1;
    static char known[sizeof("2024-01-02T03:04:05.") - 1];
    int64_t fraction_us = wall_us % CLOCK_US_PER_S;
    time_t second_s = (time_t)(wall_us / CLOCK_US_PER_S);
    if (fraction_us < 0) {
        fraction_us += CLOCK_US_PER_S;
        second_s--;
    }
    if (second_s != known_s || known[0] == '\0') {
        format_second(second_s, known);
        known_s = second_s;
    }
    char fraction[sizeof("678901Z") - 1];
    *put_digits(fraction, (int)fraction_us, 6) = 'Z';
    bytes_append(out, known, sizeof(known));
    bytes_append(out, fraction, sizeof(fraction));
}

/** Marks the high bit of each byte that a header's value has as %XX; 0 bytes are marked. As
 * text_mark_special. */
static uint64_t mark_encoded(uint64_t word)
{
    uint64_t quote = word ^ (TEXT_ONES * '"');
    uint64_t percent = word ^ (TEXT_ONES * '%');
    uint64_t found =
        (word - TEXT_ONES * 0x21) | (word + TEXT_ONES) | (quote - TEXT_ONES) | (percent - TEXT_ONES) | word;
    return found & (TEXT_ONES * 0x80);
}

void payload_append_header_value(struct bytes *out, struct slice text)
{
    static const char HEX[] = "0123456789ABCDEF";
    uint8_t *at = bytes_reserve(out, text.size * 3 + sizeof(uint64_t));
    const uint8_t *begin = at;
    size_t done = 0;
    while (done < text.size) {
        uint64_t word = text_load(text.data + done, text.size - done);
        size_t plain = text_unmarked(mark_encoded(word));
        memcpy(at, &word, sizeof(word));
        at += plain;
        done += plain;
        if (plain < sizeof(word) && done < text.size) {
            uint8_t c = text.data[done++];
            *at++ = '%';
            *at++ = (uint8_t)HEX[c >> 4];
            *at++ = (uint8_t)HEX[c & 15];
        }
    }
    out->size += (size_t)(at - begin);
}

// Source: RFC 3986, 3.3: pchar.
static bool is_uri_character(uint8_t c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || (c != 0 && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

bool payload_is_uri_segment(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_uri_character(text.data[i])) {
            return false;
        }
    }
    return true;
}

void payload_append_uri_segment(struct bytes *out, struct slice text)
{
    if (payload_is_uri_segment(text)) {
        bytes_append_slice(out, text);
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (is_uri_character(c)) {
            bytes_append_byte(out, c);
        } else {
            bytes_format(out, "%%%02X", c);
        }
    }
}

void payload_append_header_text(struct bytes *out, struct slice text)
{
    const uint8_t *end = text.size > 0 ? text.data + text.size : text.data;
    if (json_text_plain_end(text.data, end) == end) {
        payload_append_header_value(out, text);
        return;
    }
    CLEANUP(bytes_clear) struct bytes escaped = {0};
    CLEANUP(bytes_clear) struct bytes valid = {0};
    json_text_content(&escaped, text);
    json_text_unescape(&valid, bytes_slice(&escaped));
    payload_append_header_value(out, bytes_slice(&valid));
}
