// The text forms, from PostgreSQL's EncodeDateOnly, EncodeTimeOnly and EncodeDateTime with DateStyle ISO:
//
//   date         YYYY-MM-DD[ BC]                      year of 4 or more digits
//   time         HH:MM:SS[.f]                         f has 1 to 6 digits, no trailing zeros
//   timetz       HH:MM:SS[.f](+|-)HH[:MM[:SS]]
//   timestamp    YYYY-MM-DD HH:MM:SS[.f][ BC]
//   timestamptz  YYYY-MM-DD HH:MM:SS[.f]+00[ BC]      the connection's TimeZone is UTC
//
// date, timestamp and timestamptz may also be `infinity` and `-infinity`. The results are those of Debezium,
// which uses the PostgreSQL JDBC driver's constants for the infinities; converted to days, these overflow to
// two neighbouring negative numbers.
#include "connectors/postgres/values/pg_datetime.h"

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"

#define PG_DATETIME_DAY_S INT64_C(86400)
#define PG_DATETIME_DAY_US (PG_DATETIME_DAY_S * CLOCK_US_PER_S)

enum {
    PG_DATETIME_DATE_INFINITY = -2147472692,
    PG_DATETIME_DATE_MINUS_INFINITY = -2147472691,
    PG_DATETIME_YEAR_DIGITS_MAX = 7,
};

static const struct pg_datetime_timestamp PG_DATETIME_INFINITY = {INT64_C(9223372036825), 200000};
static const struct pg_datetime_timestamp PG_DATETIME_MINUS_INFINITY = {INT64_C(-9223372036832), -400000};

struct pg_datetime_date {
    int64_t year;  // as written, without regard to BC
    int month;
    int day;
};

struct pg_datetime_time {
    int64_t us;  // since midnight
    int fraction_us;
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

static struct pg_datetime_time read_time(struct cursor *c)
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
    struct pg_datetime_time time = {0, fraction_us};
    time.us = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * CLOCK_US_PER_S + fraction_us;
    if (minute > 59 || second > 60 || time.us > PG_DATETIME_DAY_US) {
        c->is_short = true;
    }
    return time;
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

bool pg_datetime_date(struct slice text, int32_t *ret_days, struct fault *f)
{
    if (is_word(text, "infinity") || is_word(text, "-infinity")) {
        *ret_days = text.size == 8 ? PG_DATETIME_DATE_INFINITY : PG_DATETIME_DATE_MINUS_INFINITY;
        return true;
    }
    struct cursor c = cursor_over(text);
    struct pg_datetime_date date = read_date(&c);
    bool is_bc = read_bc(&c);
    int64_t days = days_of(&date, is_bc);
    if (!is_at_end(&c) || days > INT32_MAX || days < INT32_MIN) {
        return refuse("date", text, f);
    }
    *ret_days = (int32_t)days;
    return true;
}

bool pg_datetime_time(struct slice text, int64_t *ret_us, struct fault *f)
{
    struct cursor c = cursor_over(text);
    struct pg_datetime_time time = read_time(&c);
    if (!is_at_end(&c)) {
        return refuse("time", text, f);
    }
    *ret_us = time.us;
    return true;
}

bool pg_datetime_timestamp(struct slice text, struct pg_datetime_timestamp *ret, struct fault *f)
{
    if (is_word(text, "infinity") || is_word(text, "-infinity")) {
        *ret = text.size == 8 ? PG_DATETIME_INFINITY : PG_DATETIME_MINUS_INFINITY;
        return true;
    }
    struct cursor c = cursor_over(text);
    struct pg_datetime_date date = read_date(&c);
    expect_byte(&c, ' ');
    struct pg_datetime_time time = read_time(&c);
    bool is_bc = read_bc(&c);
    if (!is_at_end(&c)) {
        return refuse("timestamp", text, f);
    }
    ret->seconds = days_of(&date, is_bc) * PG_DATETIME_DAY_S + time.us / CLOCK_US_PER_S;
    ret->us = time.us % CLOCK_US_PER_S;
    return true;
}

static void put_digits(uint8_t *at, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

// As Java's ISO_LOCAL_DATE: four digits; with a sign when there are more digits or the year is negative.
static size_t put_year(uint8_t *at, int64_t year)
{
    size_t size = 0;
    if (year < 0 || year > 9999) {
        at[size++] = year < 0 ? '-' : '+';
    }
    int64_t magnitude = year < 0 ? -year : year;
    int digits = 4;
    for (int64_t rest = magnitude / 10000; rest > 0; rest /= 10) {
        digits++;
    }
    put_digits(at + size, magnitude, digits);
    return size + (size_t)digits;
}

// Fast path for nearly every value: checks only that digits and separators match "dddd-dd-dd dd:dd:dd".
static bool is_plain(struct slice text)
{
    static const char form[] = "dddd-dd-dd dd:dd:dd";
    enum { HEAD = sizeof(form) - 1, TAIL = 3 };
    if (text.size < HEAD + TAIL || memcmp(text.data + text.size - TAIL, "+00", TAIL) != 0) {
        return false;
    }
    bool is_good = text.size == HEAD + TAIL || (text.data[HEAD] == '.' && text.size <= HEAD + 1 + 6 + TAIL);
    for (size_t i = 0; i < HEAD; i++) {
        bool is_digit = (uint8_t)(text.data[i] - '0') <= 9;
        is_good = is_good && (form[i] == 'd' ? is_digit : text.data[i] == (uint8_t)form[i]);
    }
    for (size_t i = HEAD + 1; is_good && i + TAIL < text.size; i++) {
        is_good = (uint8_t)(text.data[i] - '0') <= 9;
    }
    return is_good;
}

static void append_plain(struct bytes *out, struct slice text, int digits)
{
    uint8_t iso[32] = "YYYY-MM-DDTHH:MM:SS.000000Z";
    memcpy(iso, text.data, 19);
    iso[10] = 'T';
    if (text.size > 19 + 3) {
        memcpy(iso + 19, text.data + 19, text.size - 19 - 3);
    }
    size_t size = digits == 0 ? 19 : 20 + (size_t)digits;
    iso[size] = 'Z';
    avro_encode_string(out, slice_make(iso, size + 1));
}

bool pg_datetime_append_zoned(struct bytes *out, struct slice text, int precision, struct fault *f)
{
    int digits = precision < 0 || precision > 6 ? 6 : precision;
    if (is_plain(text)) {
        append_plain(out, text, digits);
        return true;
    }
    if (is_word(text, "infinity") || is_word(text, "-infinity")) {
        avro_encode_string(out, text);
        return true;
    }
    struct cursor c = cursor_over(text);
    struct pg_datetime_date date = read_date(&c);
    expect_byte(&c, ' ');
    const uint8_t *clock = c.at;
    struct pg_datetime_time time = read_time(&c);
    if (!slice_equal(cursor_take(&c, 3), slice_of("+00"))) {
        return refuse("timestamp in UTC", text, f);
    }
    bool is_bc = read_bc(&c);
    if (!is_at_end(&c)) {
        return refuse("timestamp with time zone", text, f);
    }
    uint8_t iso[48];
    size_t size = put_year(iso, is_bc ? 1 - date.year : date.year);
    iso[size++] = '-';
    put_digits(iso + size, date.month, 2);
    iso[size + 2] = '-';
    put_digits(iso + size + 3, date.day, 2);
    iso[size + 5] = 'T';
    memcpy(iso + size + 6, clock, 8);
    size += 14;
    if (digits > 0) {
        iso[size] = '.';
        put_digits(iso + size + 1, time.fraction_us, 6);
        size += 1 + (size_t)digits;
    }
    iso[size++] = 'Z';
    avro_encode_string(out, slice_make(iso, size));
    return true;
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

bool pg_datetime_append_zoned_time(struct bytes *out, struct slice text, struct fault *f)
{
    struct cursor c = cursor_over(text);
    struct pg_datetime_time time = read_time(&c);
    int64_t offset_s = read_offset(&c);
    if (!is_at_end(&c)) {
        return refuse("time with time zone", text, f);
    }
    int64_t us = time.us;
    // 24:00:00 stays as it is in UTC; with another offset it becomes an ordinary time.
    if (offset_s != 0) {
        us = (us - offset_s * CLOCK_US_PER_S) % PG_DATETIME_DAY_US;
        us = us < 0 ? us + PG_DATETIME_DAY_US : us;
    }
    uint8_t iso[20];
    int64_t seconds = us / CLOCK_US_PER_S;
    put_digits(iso, seconds / 3600, 2);
    iso[2] = ':';
    put_digits(iso + 3, seconds / 60 % 60, 2);
    iso[5] = ':';
    put_digits(iso + 6, seconds % 60, 2);
    size_t size = 8;
    if (time.fraction_us > 0) {
        iso[8] = '.';
        put_digits(iso + 9, time.fraction_us, 6);
        for (size = 15; iso[size - 1] == '0'; size--) {}
    }
    iso[size++] = 'Z';
    avro_encode_string(out, slice_make(iso, size));
    return true;
}
