// The text form, from PostgreSQL's EncodeInterval with IntervalStyle postgres; a part that is 0 is left out,
// and a positive one behind a negative one has a plus:
//
//   1 year 2 mons -3 days +04:05:06.789
//
// The binary form is int64 microseconds, int32 days, int32 months; all at their ends: an infinity, from
// PostgreSQL 17 on.
#include "connectors/postgres/values/pg_interval.h"

#include <inttypes.h>
#include <stdio.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_datetime.h"
#include "connectors/postgres/values/pg_forms.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    MONTHS_PER_YEAR = 12,
    TEXT_MAX = 128,
};

#define MONTH_US INT64_C(2629800000000)
#define HOUR_US INT64_C(3600000000)
#define MINUTE_US INT64_C(60000000)

struct interval {
    int64_t us;
    int32_t days;
    int32_t months;
};

static const struct interval INFINITE = {INT64_MAX, INT32_MAX, INT32_MAX};
static const struct interval MINUS_INFINITE = {INT64_MIN, INT32_MIN, INT32_MIN};

static bool is_same(const struct interval *a, const struct interval *b)
{
    return a->us == b->us && a->days == b->days && a->months == b->months;
}

static bool next_is(const struct cursor *c, char byte)
{
    return cursor_left(c) > 0 && *c->at == (uint8_t)byte;
}

// One digit at least. Negative, as the least number has no positive counterpart.
static int64_t take_negative(struct cursor *c)
{
    int64_t value = 0;
    bool is_good = cursor_left(c) > 0 && *c->at >= '0' && *c->at <= '9';
    while (is_good && cursor_left(c) > 0 && *c->at >= '0' && *c->at <= '9') {
        is_good = !__builtin_mul_overflow(value, 10, &value) &&
                  !__builtin_sub_overflow(value, *c->at - '0', &value);
        c->at++;
    }
    c->is_short = c->is_short || !is_good;
    return value;
}

// Microseconds of a fraction, ".789", negative.
static int64_t take_fraction(struct cursor *c)
{
    int64_t us = 0;
    if (!next_is(c, '.')) {
        return 0;
    }
    (void)cursor_u8(c);
    const uint8_t *from = c->at;
    us = take_negative(c);
    c->is_short = c->is_short || c->at - from > 6;
    for (ptrdiff_t digits = c->at - from; digits < 6 && !c->is_short; digits++) {
        us *= 10;
    }
    return us;
}

static bool add(int64_t *io_sum, int64_t value, int64_t unit)
{
    int64_t product;
    return !__builtin_mul_overflow(value, unit, &product) &&
           !__builtin_add_overflow(*io_sum, product, io_sum);
}

// The minutes, seconds and fraction behind the hours, which are `*io_negative`, in microseconds.
static void take_clock(struct cursor *c, int64_t *io_negative)
{
    int64_t sum = 0;
    bool is_good = add(&sum, *io_negative, HOUR_US);
    (void)cursor_u8(c);
    is_good = is_good && add(&sum, take_negative(c), MINUTE_US);
    c->is_short = c->is_short || cursor_u8(c) != ':';
    is_good = is_good && add(&sum, take_negative(c), CLOCK_US_PER_S) && add(&sum, take_fraction(c), 1);
    c->is_short = c->is_short || !is_good;
    *io_negative = sum;
}

// 32 bits hold months and days; a sum of years and months may be any number meanwhile.
struct parts {
    int64_t months;
    int64_t days;
    int64_t us;
};

static bool take_unit(struct cursor *c, struct parts *io, int64_t value)
{
    static const struct {
        const char *name;
        int months;
        int days;
    } UNITS[] = {{" years", 12, 0}, {" year", 12, 0}, {" mons", 1, 0},
                 {" mon", 1, 0},    {" days", 0, 1},  {" day", 0, 1}};
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        size_t size = strlen(UNITS[i].name);
        if (cursor_left(c) >= size && memcmp(c->at, UNITS[i].name, size) == 0) {
            (void)cursor_take(c, size);
            return add(&io->months, value, UNITS[i].months) && add(&io->days, value, UNITS[i].days);
        }
    }
    return false;
}

static bool take_part(struct cursor *c, struct parts *io)
{
    bool is_negative = next_is(c, '-');
    (void)cursor_take(c, is_negative || next_is(c, '+') ? 1 : 0);
    int64_t value = take_negative(c);
    bool is_clock = next_is(c, ':');
    if (is_clock) {
        take_clock(c, &value);
    }
    if (!is_negative && __builtin_sub_overflow(INT64_C(0), value, &value)) {
        return false;
    }
    if (is_clock) {
        return add(&io->us, value, 1) && cursor_left(c) == 0;
    }
    return take_unit(c, io, value) && (cursor_left(c) == 0 || cursor_u8(c) == ' ');
}

static bool read_text(struct slice text, struct interval *ret, struct fault *f)
{
    if (slice_equal(text, slice_of("infinity")) || slice_equal(text, slice_of("-infinity"))) {
        *ret = text.data[0] == '-' ? MINUS_INFINITE : INFINITE;
        return true;
    }
    struct cursor c = cursor_over(text);
    struct parts parts = {0};
    bool is_good = cursor_left(&c) > 0;
    while (is_good && cursor_left(&c) > 0) {
        is_good = take_part(&c, &parts) && !c.is_short;
    }
    *ret = (struct interval){parts.us, (int32_t)parts.days, (int32_t)parts.months};
    is_good = is_good && !c.is_short && ret->days == parts.days && ret->months == parts.months;
    return is_good || pg_write_refuse("an interval", text, f) == VALUE_DONE;
}

static bool read_binary(struct slice data, struct interval *ret, struct fault *f)
{
    struct cursor c = cursor_over(data);
    ret->us = (int64_t)cursor_u64(&c);
    ret->days = (int32_t)cursor_u32(&c);
    ret->months = (int32_t)cursor_u32(&c);
    bool is_good = !c.is_short && c.at == c.end;
    return is_good || pg_write_refuse_binary("an interval", data, f) == VALUE_DONE;
}

static enum value_step emit_micros(struct bytes *out, const struct value_type *t,
                                   const struct interval *value, struct fault *f)
{
    (void)t;
    (void)f;
    // The days alone may be more microseconds than an int64_t holds.
    __extension__ typedef __int128 wide;
    wide sum = (wide)value->months * MONTH_US + (wide)value->days * PG_DATETIME_DAY_US + value->us;
    sum = sum > INT64_MAX ? INT64_MAX : sum < INT64_MIN ? INT64_MIN : sum;
    avro_encode_long(out, (int64_t)sum);
    return VALUE_DONE;
}

// A number of seconds with its fraction, without zeros at its end.
static int put_seconds(char *to, size_t size, int64_t us)
{
    bool is_negative = us < 0;
    int64_t seconds = us / CLOCK_US_PER_S;
    int64_t fraction = us % CLOCK_US_PER_S;
    seconds = is_negative ? -seconds : seconds;
    fraction = is_negative ? -fraction : fraction;
    int digits = fraction == 0 ? 0 : 6;
    while (digits > 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    const char *sign = is_negative ? "-" : "";
    return digits == 0 ? snprintf(to, size, "%s%" PRId64 "S", sign, seconds)
                       : snprintf(to, size, "%s%" PRId64 ".%0*" PRId64 "S", sign, seconds, digits, fraction);
}

// As Debezium's: all six parts, each with the sign of its own.
static int put_iso(char *to, size_t size, const struct interval *v)
{
    if (is_same(v, &INFINITE) || is_same(v, &MINUS_INFINITE)) {
        return snprintf(to, size, "%sinfinity", v->us < 0 ? "-" : "");
    }
    int64_t clock = v->us % HOUR_US;
    int head = snprintf(to, size, "P%dY%dM%dDT%" PRId64 "H%dM", v->months / MONTHS_PER_YEAR,
                        v->months % MONTHS_PER_YEAR, v->days, v->us / HOUR_US, (int)(clock / MINUTE_US));
    return head + put_seconds(to + head, size - (size_t)head, clock % MINUTE_US);
}

static enum value_step emit_string(struct bytes *out, const struct value_type *t,
                                   const struct interval *value, struct fault *f)
{
    (void)t;
    (void)f;
    char text[TEXT_MAX];
    avro_encode_string(out, slice_make(text, (size_t)put_iso(text, sizeof(text), value)));
    return VALUE_DONE;
}

PG_FORMS(append_micros, struct interval, read_text, read_binary, emit_micros)
PG_FORMS(append_string, struct interval, read_text, read_binary, emit_string)

// "+1 mon ", or nothing for 0. @param io_is_behind_negative  whether the part before it is negative
static void write_part(struct bytes *out, int value, const char *unit, bool *io_is_behind_negative)
{
    if (value == 0) {
        return;
    }
    bytes_format(out, "%s%d %s%s ", *io_is_behind_negative && value > 0 ? "+" : "", value, unit,
                 value == 1 ? "" : "s");
    *io_is_behind_negative = value < 0;
}

static void write_clock(struct bytes *out, int64_t us, bool is_behind_negative)
{
    uint64_t rest = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    const char *sign = us < 0 ? "-" : is_behind_negative ? "+" : "";
    bytes_format(out, "%s%02" PRIu64 ":%02d:%02d", sign, rest / (uint64_t)HOUR_US,
                 (int)(rest / (uint64_t)MINUTE_US % 60), (int)(rest / CLOCK_US_PER_S % 60));
    int fraction = (int)(rest % CLOCK_US_PER_S);
    if (fraction > 0) {
        bytes_format(out, ".%06d", fraction);
        while (out->data[out->size - 1] == '0') {
            out->size--;
        }
    }
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    struct interval v;
    if (!read_binary(data, &v, f)) {
        return VALUE_FAULT;
    }
    if (is_same(&v, &INFINITE) || is_same(&v, &MINUS_INFINITE)) {
        bytes_append_string(out, v.us < 0 ? "-infinity" : "infinity");
        return VALUE_DONE;
    }
    bool is_behind_negative = false;
    size_t begin = out->size;
    write_part(out, v.months / MONTHS_PER_YEAR, "year", &is_behind_negative);
    write_part(out, v.months % MONTHS_PER_YEAR, "mon", &is_behind_negative);
    write_part(out, v.days, "day", &is_behind_negative);
    if (v.us != 0 || out->size == begin) {
        write_clock(out, v.us, is_behind_negative);
    } else {
        out->size--;  // the space behind the last part
    }
    return VALUE_DONE;
}

static void append_micros_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_string_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("P0Y0M0DT0H0M0S"));
}

static void append_micros_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "long",
                                                  .name = "io.debezium.time.MicroDuration",
                                                  .default_json = default_json});
}

static void append_string_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.time.Interval",
                                                  .default_json = default_json});
}

const struct type_ops PG_INTERVAL_MICROS = {
    .append_text = append_micros_text,
    .append_binary = append_micros_binary,
    .write_text = write_text,
    .append_zero = append_micros_zero,
    .append_default = pg_json_long,
    .append_schema = append_micros_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_INTERVAL_STRING = {
    .append_text = append_string_text,
    .append_binary = append_string_binary,
    .write_text = write_text,
    .append_zero = append_string_zero,
    .append_default = pg_json_string,
    .append_schema = append_string_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_INTERVAL_NATIVE = {
    .append_text = append_string_text,
    .append_binary = append_string_binary,
    .write_text = write_text,
    .append_zero = append_string_zero,
    .append_default = pg_json_string,
    .append_schema = pg_write_schema_string,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
