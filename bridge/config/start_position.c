#include "bridge/config/start_position.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LSN_HALF_DIGITS = 8 };

/** Reads `count` digits; moves the text behind them. */
static bool take_number(const char **text, int count, int *ret)
{
    int number = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (isdigit((unsigned char)**text) == 0) {
            return false;
        }
        number = number * 10 + (**text - '0');
    }
    *ret = number;
    return true;
}

static bool take_byte(const char **text, const char *allowed)
{
    bool is_there = **text != '\0' && strchr(allowed, **text) != NULL;
    *text += is_there ? 1 : 0;
    return is_there;
}

static bool take_date(const char **at, struct tm *ret)
{
    bool is_read = take_number(at, 4, &ret->tm_year) && take_byte(at, "-") &&
                   take_number(at, 2, &ret->tm_mon) && take_byte(at, "-") &&
                   take_number(at, 2, &ret->tm_mday);
    static const int DAYS[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!is_read || ret->tm_year < 1970 || ret->tm_mon < 1 || ret->tm_mon > 12 || ret->tm_mday < 1 ||
        ret->tm_mday > DAYS[ret->tm_mon - 1]) {
        return false;
    }
    bool is_leap = (ret->tm_year % 4 == 0 && ret->tm_year % 100 != 0) || ret->tm_year % 400 == 0;
    if (ret->tm_mon == 2 && ret->tm_mday == 29 && !is_leap) {
        return false;
    }
    ret->tm_year -= 1900;
    ret->tm_mon -= 1;
    return true;
}

/** Reads a fraction of a second, if there is one. */
static bool take_milliseconds(const char **at, int64_t *ret)
{
    *ret = 0;
    if (!take_byte(at, ".")) {
        return true;
    }
    int digits = 0;
    for (; isdigit((unsigned char)**at) != 0; (*at)++, digits++) {
        static const int WORTH[] = {100, 10, 1};
        *ret += digits < 3 ? (int64_t)(**at - '0') * WORTH[digits] : 0;
    }
    return digits > 0;
}

static bool take_zone(const char **at, int64_t *ret_seconds)
{
    *ret_seconds = 0;
    if (take_byte(at, "Zz")) {
        return true;
    }
    int sign = **at == '-' ? -1 : 1;
    int hours;
    int minutes;
    if (!take_byte(at, "+-") || !take_number(at, 2, &hours) || !take_byte(at, ":") ||
        !take_number(at, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ret_seconds = (int64_t)sign * (hours * 3600 + minutes * 60);
    return true;
}

bool start_position_parse_time(const char *text, int64_t *ret_ms)
{
    const char *at = text;
    struct tm when = {0};
    int64_t milliseconds;
    int64_t zone;
    if (!take_date(&at, &when) || !take_byte(&at, "Tt ") || !take_number(&at, 2, &when.tm_hour) ||
        !take_byte(&at, ":") || !take_number(&at, 2, &when.tm_min) || !take_byte(&at, ":") ||
        !take_number(&at, 2, &when.tm_sec) || !take_milliseconds(&at, &milliseconds) ||
        !take_zone(&at, &zone) || *at != '\0') {
        return false;
    }
    if (when.tm_hour > 23 || when.tm_min > 59 || when.tm_sec > 60) {
        return false;
    }
    *ret_ms = ((int64_t)timegm(&when) - zone) * 1000 + milliseconds;
    return *ret_ms >= 0;
}

/** 16/B374D848: two hexadecimal halves of at most eight digits. */
static bool parse_lsn(const char *text, int64_t *ret)
{
    static const char HEX[] = "0123456789abcdefABCDEF";
    size_t high = strspn(text, HEX);
    if (high == 0 || high > LSN_HALF_DIGITS || text[high] != '/') {
        return false;
    }
    const char *rest = text + high + 1;
    size_t low = strspn(rest, HEX);
    if (low == 0 || low > LSN_HALF_DIGITS || rest[low] != '\0') {
        return false;
    }
    uint64_t lsn = (strtoull(text, NULL, 16) << 32) | strtoull(rest, NULL, 16);
    *ret = (int64_t)lsn;
    return lsn <= INT64_MAX;
}

static bool parse_offset(const char *text, int64_t *ret)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0') {
        return false;
    }
    errno = 0;
    *ret = strtoll(text, NULL, 10);
    return errno == 0;
}

bool start_position_parse(const char *text, struct start_position *ret, struct fault *f)
{
    struct start_position found = {FUNCTION_START_LATEST, 0};
    if (strcmp(text, "latest") == 0) {
        found.kind = FUNCTION_START_LATEST;
    } else if (strcmp(text, "earliest") == 0) {
        found.kind = FUNCTION_START_EARLIEST;
    } else if (parse_lsn(text, &found.value)) {
        found.kind = FUNCTION_START_LSN;
    } else if (start_position_parse_time(text, &found.value)) {
        found.kind = FUNCTION_START_TIME;
    } else {
        return fault_set(f, FAULT_CONFIG,
                         "\"%.64s\" is neither latest, earliest, an RFC 3339 timestamp "
                         "(2026-01-02T03:04:05Z) nor an LSN (16/B374D848)",
                         text);
    }
    *ret = found;
    return true;
}

bool start_position_parse_any(const char *text, struct start_position *ret, struct fault *f)
{
    struct start_position found = {FUNCTION_START_OFFSET, 0};
    if (parse_offset(text, &found.value)) {
        *ret = found;
        return true;
    }
    return start_position_parse(text, ret, f) ||
           fault_set(f, FAULT_CONFIG,
                     "\"%.64s\" is neither earliest, an RFC 3339 timestamp (2026-01-02T03:04:05Z), an LSN "
                     "(16/B374D848) nor an offset",
                     text);
}
