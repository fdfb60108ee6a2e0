// Converts day numbers to year, month and day: years start in March, eras have 400 years (146,097 days).
// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
#include "schemas/json/json_time.h"

#include "core/base/memory.h"
#include "schemas/json/json_text.h"

enum {
    JSON_TIME_ERA_DAYS = 146097,
    JSON_TIME_DAYS_TO_1970 = 719468,  // from 0000-03-01
    JSON_TIME_DAY_S = 86400,
    JSON_TIME_TEXT_MAX = 64,
};

// The values of PostgreSQL's infinities: those of Debezium's stream, of its snapshot and of its documents,
// and of Avro's logical types (types: native). No finite value is one of them, but for the last microsecond
// of 64 bits.
static const int64_t INFINITE_DAYS[] = {2146033979, INT32_MAX, -2147472692};
static const int64_t MINUS_INFINITE_DAYS[] = {-2147472691, INT32_MIN};
static const int64_t INFINITE_US[] = {INT64_MAX, INT64_C(9223372036825200000)};
static const int64_t MINUS_INFINITE_US[] = {INT64_MIN, INT64_C(-9223372036832400000)};
static const int64_t INFINITE_MS[] = {INT64_C(9223372036825200000), INT64_C(9223372036825200), INT64_MAX};
static const int64_t MINUS_INFINITE_MS[] = {INT64_C(-9223372036832400000), INT64_C(-9223372036832400),
                                            INT64_MIN};

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

static uint8_t *put_year(uint8_t *at, int64_t year)
{
    uint64_t magnitude = (uint64_t)(year < 0 ? -year : year);
    size_t width = 4;
    for (uint64_t rest = magnitude / 10000; rest > 0; rest /= 10) {
        width++;
    }
    if (year < 0 || year > 9999) {
        *at++ = year < 0 ? '-' : '+';
    }
    for (size_t i = width; i > 0; i--) {
        at[i - 1] = (uint8_t)('0' + magnitude % 10);
        magnitude /= 10;
    }
    return at + width;
}

static uint8_t *put_two(uint8_t *at, uint32_t value, uint8_t before)
{
    *at++ = before;
    json_text_padded(at, value, 2);
    return at + 2;
}

static uint8_t *put_date(uint8_t *at, int64_t days)
{
    days += JSON_TIME_DAYS_TO_1970;
    int64_t era = floor_divide(days, JSON_TIME_ERA_DAYS);
    uint32_t day_of_era = (uint32_t)(days - era * JSON_TIME_ERA_DAYS);
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * day_of_year + 2) / 153;
    uint32_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = (int64_t)year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    at = put_year(at, year);
    at = put_two(at, month, '-');
    return put_two(at, day, '-');
}

static uint8_t *put_clock(uint8_t *at, uint32_t seconds)
{
    json_text_padded(at, seconds / 3600, 2);
    at = put_two(at + 2, seconds / 60 % 60, ':');
    return put_two(at, seconds % 60, ':');
}

// ".5" for 500 thousandths: without trailing zeros; nothing for 0.
static uint8_t *put_fraction(uint8_t *at, uint32_t fraction, size_t digits)
{
    if (fraction == 0) {
        return at;
    }
    while (fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    *at++ = '.';
    json_text_padded(at, fraction, digits);
    return at + digits;
}

static int64_t unit_of(size_t digits)
{
    return digits == 3 ? 1000 : digits == 6 ? 1000000 : 1000000000;
}

static bool is_in(const int64_t *values, size_t count, int64_t value)
{
    bool is_found = false;
    for (size_t i = 0; i < count; i++) {
        is_found = is_found || values[i] == value;
    }
    return is_found;
}

static bool append_infinity(struct bytes *out, bool is_infinity, bool is_minus_infinity)
{
    if (is_infinity || is_minus_infinity) {
        bytes_append_string(out, is_infinity ? "\"infinity\"" : "\"-infinity\"");
    }
    return is_infinity || is_minus_infinity;
}

void json_time_date(struct bytes *out, int64_t days)
{
    if (append_infinity(out, is_in(INFINITE_DAYS, COUNT_OF(INFINITE_DAYS), days),
                        is_in(MINUS_INFINITE_DAYS, COUNT_OF(MINUS_INFINITE_DAYS), days))) {
        return;
    }
    uint8_t *begin = bytes_reserve(out, JSON_TIME_TEXT_MAX);
    uint8_t *at = begin;
    *at++ = '"';
    at = put_date(at, days);
    *at++ = '"';
    out->size += (size_t)(at - begin);
}

void json_time_of_day(struct bytes *out, int64_t value, size_t digits)
{
    int64_t unit = unit_of(digits);
    if (value < 0 || value > JSON_TIME_DAY_S * unit) {
        json_text_integer(out, value);
        return;
    }
    uint8_t *begin = bytes_reserve(out, JSON_TIME_TEXT_MAX);
    uint8_t *at = begin;
    *at++ = '"';
    at = put_clock(at, (uint32_t)(value / unit));
    at = put_fraction(at, (uint32_t)(value % unit), digits);
    *at++ = '"';
    out->size += (size_t)(at - begin);
}

void json_time_timestamp(struct bytes *out, int64_t value, size_t digits, const char *suffix)
{
    int64_t unit = unit_of(digits);
    bool is_infinity = digits == 3 ? is_in(INFINITE_MS, COUNT_OF(INFINITE_MS), value)
                                   : is_in(INFINITE_US, COUNT_OF(INFINITE_US), value);
    bool is_minus_infinity = digits == 3 ? is_in(MINUS_INFINITE_MS, COUNT_OF(MINUS_INFINITE_MS), value)
                                         : is_in(MINUS_INFINITE_US, COUNT_OF(MINUS_INFINITE_US), value);
    if (digits < 9 && append_infinity(out, is_infinity, is_minus_infinity)) {
        return;
    }
    int64_t seconds = floor_divide(value, unit);
    int64_t days = floor_divide(seconds, JSON_TIME_DAY_S);
    uint8_t *begin = bytes_reserve(out, JSON_TIME_TEXT_MAX);
    uint8_t *at = begin;
    *at++ = '"';
    at = put_date(at, days);
    *at++ = 'T';
    at = put_clock(at, (uint32_t)(seconds - days * JSON_TIME_DAY_S));
    int64_t fraction = value % unit;
    at = put_fraction(at, (uint32_t)(fraction < 0 ? fraction + unit : fraction), digits);
    if (suffix[0] != '\0') {
        *at++ = (uint8_t)suffix[0];
    }
    *at++ = '"';
    out->size += (size_t)(at - begin);
}
