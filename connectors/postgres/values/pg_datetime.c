// The text forms, from PostgreSQL's EncodeDateOnly, EncodeTimeOnly and EncodeDateTime with DateStyle ISO:
//
//   date         YYYY-MM-DD[ BC]                      year of 4 or more digits
//   time         HH:MM:SS[.f]                         f has 1 to 6 digits, no trailing zeros
//   timetz       HH:MM:SS[.f](+|-)HH[:MM[:SS]]
//   timestamp    YYYY-MM-DD HH:MM:SS[.f][ BC]
//   timestamptz  YYYY-MM-DD HH:MM:SS[.f]+00[ BC]      the connection's TimeZone is UTC
//
// date, timestamp and timestamptz may also be `infinity` and `-infinity`. The binary forms, big-endian:
//
//   date         int32 days since 2000-01-01
//   time         int64 microseconds
//   timetz       int64 microseconds, int32 seconds west of Greenwich
//   timestamp, timestamptz   int64 microseconds since 2000-01-01
//
// with the greatest and the least number for the infinities.
#include "connectors/postgres/values/pg_datetime.h"

#include "connectors/postgres/values/pg_write.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"

enum {
    PG_DATETIME_YEAR_DIGITS_MAX = 7,
    PG_DATETIME_ZONE_S_MAX = 86400,
};

struct pg_datetime_date {
    int64_t year;  // as written, without regard to BC
    int month;
    int day;
};

static bool refuse(const char *what, struct slice text, struct fault *f)
{
    int size = text.size > 64 ? 64 : (int)text.size;
    return fault_set(f, FAULT_REJECT, "not a %s as PostgreSQL writes it: \"%.*s\"", what, size,
                     (const char *)text.data);
}

static bool is_word(struct slice text, const char *word)
{
    return slice_equal(text, slice_of(word));
}

// Reads exactly `count` digits; otherwise sets the cursor's is_short.
static int read_digits(struct cursor *c, size_t count)
{
    struct slice s = cursor_take(c, count);
    int value = 0;
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            c->is_short = true;
            return 0;
        }
        value = value * 10 + (s.data[i] - '0');
    }
    return value;
}

static void expect_byte(struct cursor *c, uint8_t byte)
{
    if (cursor_u8(c) != byte) {
        c->is_short = true;
    }
}

static bool next_is(const struct cursor *c, uint8_t byte)
{
    return cursor_left(c) > 0 && *c->at == byte;
}

static bool next_is_digit(const struct cursor *c)
{
    return cursor_left(c) > 0 && *c->at >= '0' && *c->at <= '9';
}

static struct pg_datetime_date read_date(struct cursor *c)
{
    struct pg_datetime_date date = {read_digits(c, 4), 0, 0};
    for (int i = 4; next_is_digit(c); i++) {
        if (i == PG_DATETIME_YEAR_DIGITS_MAX) {
            c->is_short = true;
        }
        date.year = date.year * 10 + read_digits(c, 1);
    }
    expect_byte(c, '-');
    date.month = read_digits(c, 2);
    expect_byte(c, '-');
    date.day = read_digits(c, 2);
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) {
        c->is_short = true;
        date.month = 1;
    }
    return date;
}

static int read_fraction(struct cursor *c)
{
    int us = 0;
    int unit = 100000;
    while (next_is_digit(c)) {
        if (unit == 0) {
            c->is_short = true;
            return 0;
        }
        us += read_digits(c, 1) * unit;
        unit /= 10;
    }
    return us;
}

static int64_t read_time(struct cursor *c)
{
    int hour = read_digits(c, 2);
    expect_byte(c, ':');
    int minute = read_digits(c, 2);
    expect_byte(c, ':');
    int second = read_digits(c, 2);
    int fraction_us = 0;
    if (next_is(c, '.')) {
        (void)cursor_u8(c);
        fraction_us = read_fraction(c);
    }
    int64_t us = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * CLOCK_US_PER_S + fraction_us;
    if (minute > 59 || second > 60 || us > PG_DATETIME_DAY_US) {
        c->is_short = true;
    }
    return us;
}

static bool read_bc(struct cursor *c)
{
    if (!next_is(c, ' ')) {
        return false;
    }
    if (!slice_equal(cursor_take(c, 3), slice_of(" BC"))) {
        c->is_short = true;
    }
    return true;
}

static bool is_at_end(const struct cursor *c)
{
    return !c->is_short && c->at == c->end;
}

// Howard Hinnant's days_from_civil: years begin in March, eras have 400 years.
static int64_t days_of(const struct pg_datetime_date *date, bool is_bc)
{
    int64_t year = is_bc ? 1 - date->year : date->year;
    year -= date->month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date->month + (date->month > 2 ? -3 : 9)) + 2) / 5 + date->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool take_infinity(struct slice text, int64_t *ret)
{
    if (text.size == 0 || (text.data[0] != 'i' && text.data[0] != '-')) {
        return false;
    }
    *ret = text.data[0] == '-' ? PG_DATETIME_MINUS_INFINITY : PG_DATETIME_INFINITY;
    return is_word(text, "infinity") || is_word(text, "-infinity");
}

bool pg_datetime_date(struct slice text, int64_t *ret_days, struct fault *f)
{
    if (take_infinity(text, ret_days)) {
        return true;
    }
    struct cursor c = cursor_over(text);
    struct pg_datetime_date date = read_date(&c);
    bool is_bc = read_bc(&c);
    *ret_days = days_of(&date, is_bc);
    if (!is_at_end(&c) || *ret_days > INT32_MAX || *ret_days < INT32_MIN) {
        return refuse("date", text, f);
    }
    return true;
}

bool pg_datetime_time(struct slice text, int64_t *ret_us, struct fault *f)
{
    struct cursor c = cursor_over(text);
    *ret_us = read_time(&c);
    return is_at_end(&c) || refuse("time", text, f);
}

// Reads (+|-)HH[:MM[:SS]]; returns seconds east of UTC.
static int64_t read_offset(struct cursor *c)
{
    uint8_t sign = cursor_u8(c);
    if (sign != '+' && sign != '-') {
        c->is_short = true;
    }
    int64_t seconds = (int64_t)read_digits(c, 2) * 3600;
    for (int unit = 60; unit > 0 && next_is(c, ':'); unit /= 60) {
        (void)cursor_u8(c);
        seconds += (int64_t)read_digits(c, 2) * unit;
    }
    return sign == '-' ? -seconds : seconds;
}

bool pg_datetime_zoned_time(struct slice text, struct pg_datetime_zoned_time *ret, struct fault *f)
{
    struct cursor c = cursor_over(text);
    ret->us = read_time(&c);
    ret->east_s = read_offset(&c);
    return is_at_end(&c) || refuse("time with time zone", text, f);
}

static bool read_timestamp(struct slice text, const char *zone, const char *what, int64_t *ret_us,
                           struct fault *f)
{
    if (take_infinity(text, ret_us)) {
        return true;
    }
    struct cursor c = cursor_over(text);
    struct pg_datetime_date date = read_date(&c);
    expect_byte(&c, ' ');
    int64_t time = read_time(&c);
    bool is_in_zone = slice_equal(cursor_take(&c, strlen(zone)), slice_of(zone));
    bool is_bc = read_bc(&c);
    int64_t days = days_of(&date, is_bc) - PG_DATETIME_EPOCH_DAYS;
    if (!is_at_end(&c) || !is_in_zone || __builtin_mul_overflow(days, PG_DATETIME_DAY_US, ret_us) ||
        __builtin_add_overflow(*ret_us, time, ret_us) || pg_datetime_is_infinite(*ret_us)) {
        return refuse(what, text, f);
    }
    return true;
}

bool pg_datetime_timestamp(struct slice text, int64_t *ret_us, struct fault *f)
{
    return read_timestamp(text, "", "timestamp", ret_us, f);
}

bool pg_datetime_zoned_timestamp(struct slice text, int64_t *ret_us, struct fault *f)
{
    return read_timestamp(text, "+00", "timestamp in UTC", ret_us, f);
}

static bool refuse_binary(const char *what, struct slice data, struct fault *f)
{
    return pg_write_refuse_binary(what, data, f) == VALUE_DONE;
}

bool pg_datetime_date_binary(struct slice data, int64_t *ret_days, struct fault *f)
{
    struct cursor c = cursor_over(data);
    int32_t days = (int32_t)cursor_u32(&c);
    if (days == INT32_MAX || days == INT32_MIN) {
        *ret_days = days > 0 ? PG_DATETIME_INFINITY : PG_DATETIME_MINUS_INFINITY;
    } else {
        *ret_days = days + PG_DATETIME_EPOCH_DAYS;
    }
    bool is_good = is_at_end(&c) && (*ret_days <= INT32_MAX || *ret_days == PG_DATETIME_INFINITY);
    return is_good || refuse_binary("a date", data, f);
}

bool pg_datetime_time_binary(struct slice data, int64_t *ret_us, struct fault *f)
{
    struct cursor c = cursor_over(data);
    *ret_us = (int64_t)cursor_u64(&c);
    bool is_good = is_at_end(&c) && *ret_us >= 0 && *ret_us <= PG_DATETIME_DAY_US;
    return is_good || refuse_binary("a time", data, f);
}

bool pg_datetime_zoned_time_binary(struct slice data, struct pg_datetime_zoned_time *ret, struct fault *f)
{
    struct cursor c = cursor_over(data);
    ret->us = (int64_t)cursor_u64(&c);
    ret->east_s = -(int64_t)(int32_t)cursor_u32(&c);
    bool is_good = is_at_end(&c) && ret->us >= 0 && ret->us <= PG_DATETIME_DAY_US &&
                   ret->east_s < PG_DATETIME_ZONE_S_MAX && ret->east_s > -PG_DATETIME_ZONE_S_MAX;
    return is_good || refuse_binary("a time with time zone", data, f);
}

// PostgreSQL's MIN_TIMESTAMP and END_TIMESTAMP: from 4714-11-24 BC until the end of 294276.
#define TIMESTAMP_MIN INT64_C(-211813488000000000)
#define TIMESTAMP_END INT64_C(9223371331200000000)

bool pg_datetime_timestamp_binary(struct slice data, int64_t *ret_us, struct fault *f)
{
    struct cursor c = cursor_over(data);
    *ret_us = (int64_t)cursor_u64(&c);
    bool is_finite = *ret_us >= TIMESTAMP_MIN && *ret_us < TIMESTAMP_END;
    bool is_good = is_at_end(&c) && (is_finite || pg_datetime_is_infinite(*ret_us));
    return is_good || refuse_binary("a timestamp", data, f);
}
