// Day numbers become years, months and days as in Howard Hinnant's "chrono-Compatible Low-Level Date
// Algorithms": years begin in March, eras have 400 years (146,097 days).
#include "connectors/postgres/values/pg_datetime_write.h"

#include "core/base/clock.h"

enum { FRACTION_DIGITS = 6 };

struct civil {
    int64_t year;  // 0: 1 BC
    uint32_t month;
    uint32_t day;
};

static struct civil civil_of(int64_t days)
{
    days += 719468;  // from 0000-03-01
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    uint32_t day_of_era = (uint32_t)(days - era * 146097);
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t from_march = (5 * day_of_year + 2) / 153;
    struct civil c = {.month = from_march < 10 ? from_march + 3 : from_march - 9,
                      .day = day_of_year - (153 * from_march + 2) / 5 + 1};
    c.year = (int64_t)year_of_era + era * 400 + (c.month <= 2 ? 1 : 0);
    return c;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

static inline uint8_t *put_two(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)('0' + value / 10);
    at[1] = (uint8_t)('0' + value % 10);
    return at + 2;
}

// At least four digits.
static uint8_t *put_year(uint8_t *at, uint64_t year)
{
    int digits = 4;
    for (uint64_t rest = year / 10000; rest > 0; rest /= 10) {
        digits++;
    }
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (uint8_t)('0' + year % 10);
        year /= 10;
    }
    return at + digits;
}

static uint8_t *put_month_and_day(uint8_t *at, const struct civil *c)
{
    *at++ = '-';
    at = put_two(at, c->month);
    *at++ = '-';
    return put_two(at, c->day);
}

// As PostgreSQL: its caller puts " BC" behind all of it.
static uint8_t *put_date(uint8_t *at, const struct civil *c)
{
    at = put_year(at, (uint64_t)(c->year > 0 ? c->year : 1 - c->year));
    return put_month_and_day(at, c);
}

// As Java's ISO_LOCAL_DATE.
static uint8_t *put_iso_date(uint8_t *at, const struct civil *c)
{
    if (c->year < 0 || c->year > 9999) {
        *at++ = c->year < 0 ? '-' : '+';
    }
    at = put_year(at, (uint64_t)(c->year < 0 ? -c->year : c->year));
    return put_month_and_day(at, c);
}

static uint8_t *put_fraction(uint8_t *at, uint32_t us, int digits)
{
    if (digits == 0 || (digits == PG_DATETIME_TRIMMED && us == 0)) {
        return at;
    }
    uint8_t *text = at + 1;
    *at = '.';
    for (int i = FRACTION_DIGITS - 1; i >= 0; i--) {
        text[i] = (uint8_t)('0' + us % 10);
        us /= 10;
    }
    if (digits != PG_DATETIME_TRIMMED) {
        return text + digits;
    }
    uint8_t *end = text + FRACTION_DIGITS;
    while (end[-1] == '0') {
        end--;
    }
    return end;
}

static uint8_t *put_time(uint8_t *at, int64_t us, int digits)
{
    uint32_t seconds = (uint32_t)(us / CLOCK_US_PER_S);
    at = put_two(at, seconds / 3600);
    *at++ = ':';
    at = put_two(at, seconds / 60 % 60);
    *at++ = ':';
    at = put_two(at, seconds % 60);
    return put_fraction(at, (uint32_t)(us % CLOCK_US_PER_S), digits);
}

// (+|-)HH[:MM[:SS]]
static uint8_t *put_zone(uint8_t *at, int64_t east_s, bool has_minutes)
{
    *at++ = east_s < 0 ? '-' : '+';
    uint32_t seconds = (uint32_t)(east_s < 0 ? -east_s : east_s);
    at = put_two(at, seconds / 3600);
    if (has_minutes || seconds % 3600 != 0) {
        *at++ = ':';
        at = put_two(at, seconds / 60 % 60);
    }
    if (seconds % 60 != 0) {
        *at++ = ':';
        at = put_two(at, seconds % 60);
    }
    return at;
}

static size_t put_infinity(uint8_t *to, int64_t value)
{
    return (size_t)(put_text(to, value == PG_DATETIME_INFINITY ? "infinity" : "-infinity") - to);
}

size_t pg_datetime_write_date(uint8_t *to, int64_t days)
{
    if (pg_datetime_is_infinite(days)) {
        return put_infinity(to, days);
    }
    struct civil c = civil_of(days);
    uint8_t *at = put_date(to, &c);
    return (size_t)(put_text(at, c.year > 0 ? "" : " BC") - to);
}

size_t pg_datetime_write_time(uint8_t *to, int64_t us)
{
    return (size_t)(put_time(to, us, PG_DATETIME_TRIMMED) - to);
}

size_t pg_datetime_write_zoned_time(uint8_t *to, const struct pg_datetime_zoned_time *time)
{
    return (size_t)(put_zone(put_time(to, time->us, PG_DATETIME_TRIMMED), time->east_s, false) - to);
}

// The days since 1970-01-01, and the microseconds of the day.
static int64_t split_timestamp(int64_t us, int64_t *ret_us)
{
    int64_t days = us / PG_DATETIME_DAY_US;
    *ret_us = us % PG_DATETIME_DAY_US;
    if (*ret_us < 0) {
        *ret_us += PG_DATETIME_DAY_US;
        days--;
    }
    return days + PG_DATETIME_EPOCH_DAYS;
}

size_t pg_datetime_write_timestamp(uint8_t *to, int64_t us, const char *zone)
{
    if (pg_datetime_is_infinite(us)) {
        return put_infinity(to, us);
    }
    int64_t time;
    struct civil c = civil_of(split_timestamp(us, &time));
    uint8_t *at = put_date(to, &c);
    *at++ = ' ';
    at = put_text(put_time(at, time, PG_DATETIME_TRIMMED), zone);
    return (size_t)(put_text(at, c.year > 0 ? "" : " BC") - to);
}

size_t pg_datetime_iso_date(uint8_t *to, int64_t days, const char *suffix)
{
    if (pg_datetime_is_infinite(days)) {
        return put_infinity(to, days);
    }
    struct civil c = civil_of(days);
    return (size_t)(put_text(put_iso_date(to, &c), suffix) - to);
}

size_t pg_datetime_iso_time(uint8_t *to, int64_t us, const char *suffix)
{
    return (size_t)(put_text(put_time(to, us, PG_DATETIME_TRIMMED), suffix) - to);
}

size_t pg_datetime_iso_zoned_time(uint8_t *to, const struct pg_datetime_zoned_time *time)
{
    return (size_t)(put_zone(put_time(to, time->us, PG_DATETIME_TRIMMED), time->east_s, true) - to);
}

size_t pg_datetime_iso_timestamp(uint8_t *to, int64_t us, int digits, const char *suffix)
{
    if (pg_datetime_is_infinite(us)) {
        return put_infinity(to, us);
    }
    int64_t time;
    struct civil c = civil_of(split_timestamp(us, &time));
    uint8_t *at = put_iso_date(to, &c);
    *at++ = 'T';
    return (size_t)(put_text(put_time(at, time, digits), suffix) - to);
}
