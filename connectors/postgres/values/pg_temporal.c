// Debezium's infinities are those of its stream: of dates the days of the PostgreSQL JDBC driver's constants,
// of timestamps the ends of 64 bits in microseconds, and the driver's constants in milliseconds.
#include "connectors/postgres/values/pg_temporal.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_datetime_write.h"
#include "connectors/postgres/values/pg_forms.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_temporal_write.h"
#include "core/base/clock.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    DATE_INFINITY = 2146033979,
    DATE_MINUS_INFINITY = -2147472691,
};

#define MS_INFINITY INT64_C(9223372036825200000)
#define MS_MINUS_INFINITY INT64_C(-9223372036832400000)

static inline enum value_step emit_date(struct bytes *out, const struct value_type *t, const int64_t *days,
                                        struct fault *f)
{
    (void)t;
    (void)f;
    int64_t value = *days;
    if (__builtin_expect(pg_datetime_is_infinite(value), 0)) {
        value = value == PG_DATETIME_INFINITY ? DATE_INFINITY : DATE_MINUS_INFINITY;
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static inline enum value_step emit_us(struct bytes *out, const struct value_type *t, const int64_t *us,
                                      struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_long(out, *us);
    return VALUE_DONE;
}

static inline enum value_step emit_ms(struct bytes *out, const struct value_type *t, const int64_t *us,
                                      struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_long(out, *us / CLOCK_US_PER_MS);
    return VALUE_DONE;
}

// Years after 294246 fit PostgreSQL's microseconds since 2000, but not microseconds since 1970.
static enum value_step refuse_late(struct fault *f)
{
    (void)fault_set(f, FAULT_REJECT,
                    "a timestamp after 294247-01-10 04:00:54.775807 does not fit 64 bits of microseconds "
                    "since 1970");
    return VALUE_NONE;
}

static inline enum value_step emit_timestamp_us(struct bytes *out, const struct value_type *t,
                                                const int64_t *us, struct fault *f)
{
    (void)t;
    int64_t value = *us;
    if (!pg_datetime_is_infinite(value) && __builtin_add_overflow(value, PG_DATETIME_EPOCH_US, &value)) {
        return refuse_late(f);
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static inline enum value_step emit_timestamp_ms(struct bytes *out, const struct value_type *t,
                                                const int64_t *us, struct fault *f)
{
    (void)t;
    (void)f;
    int64_t value = *us / CLOCK_US_PER_MS - (*us % CLOCK_US_PER_MS < 0 ? 1 : 0);
    value += PG_DATETIME_EPOCH_US / CLOCK_US_PER_MS;
    if (__builtin_expect(pg_datetime_is_infinite(*us), 0)) {
        value = *us == PG_DATETIME_INFINITY ? MS_INFINITY : MS_MINUS_INFINITY;
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static inline enum value_step emit_zoned_timestamp(struct bytes *out, const struct value_type *t,
                                                   const int64_t *us, struct fault *f)
{
    (void)f;
    uint8_t text[PG_DATETIME_TEXT_MAX];
    int digits = t->precision < 0 || t->precision > 6 ? 6 : t->precision;
    avro_encode_string(out, slice_make(text, pg_datetime_iso_timestamp(text, *us, digits, "Z")));
    return VALUE_DONE;
}

// 24:00:00 stays as it is in UTC; with another offset it becomes an ordinary time.
static inline enum value_step emit_zoned_time(struct bytes *out, const struct value_type *t,
                                              const struct pg_datetime_zoned_time *time, struct fault *f)
{
    (void)t;
    (void)f;
    int64_t us = time->us;
    if (time->east_s != 0) {
        us = (us - time->east_s * CLOCK_US_PER_S) % PG_DATETIME_DAY_US;
        us = us < 0 ? us + PG_DATETIME_DAY_US : us;
    }
    uint8_t text[PG_DATETIME_TEXT_MAX];
    avro_encode_string(out, slice_make(text, pg_datetime_iso_time(text, us, "Z")));
    return VALUE_DONE;
}

PG_FORMS(append_date, int64_t, pg_datetime_date, pg_datetime_date_binary, emit_date)
PG_FORMS(append_time_us, int64_t, pg_datetime_time, pg_datetime_time_binary, emit_us)
PG_FORMS(append_time_ms, int64_t, pg_datetime_time, pg_datetime_time_binary, emit_ms)
PG_FORMS(append_timestamp_us, int64_t, pg_datetime_timestamp, pg_datetime_timestamp_binary, emit_timestamp_us)
PG_FORMS(append_timestamp_ms, int64_t, pg_datetime_timestamp, pg_datetime_timestamp_binary, emit_timestamp_ms)
PG_FORMS(append_zoned_time, struct pg_datetime_zoned_time, pg_datetime_zoned_time,
         pg_datetime_zoned_time_binary, emit_zoned_time)
PG_FORMS(append_zoned, int64_t, pg_datetime_zoned_timestamp, pg_datetime_timestamp_binary,
         emit_zoned_timestamp)

// Whether the text is "dddd-dd-dd dd:dd:dd[.d…]+00", as nearly every timestamp is: its digits and separators
// alone are checked, and then copied.
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

static enum value_step append_zoned_timestamp_text(struct bytes *out, const struct value_type *t,
                                                   struct slice text, struct fault *f)
{
    if (!is_plain(text)) {
        return append_zoned_text(out, t, text, f);
    }
    int digits = t->precision < 0 || t->precision > 6 ? 6 : t->precision;
    uint8_t iso[32] = "YYYY-MM-DDTHH:MM:SS.000000Z";
    memcpy(iso, text.data, 19);
    iso[10] = 'T';
    if (text.size > 19 + 3) {
        memcpy(iso + 19, text.data + 19, text.size - 19 - 3);
    }
    size_t size = digits == 0 ? 19 : 20 + (size_t)digits;
    iso[size] = 'Z';
    avro_encode_string(out, slice_make(iso, size + 1));
    return VALUE_DONE;
}

static void append_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_zoned_timestamp_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("1970-01-01T00:00:00Z"));
}

static void append_zoned_time_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("00:00:00Z"));
}

static void append_date_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(
        out,
        &(struct type_schema){.type = "int", .name = "io.debezium.time.Date", .default_json = default_json});
}

static void append_time_ms_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(
        out,
        &(struct type_schema){.type = "int", .name = "io.debezium.time.Time", .default_json = default_json});
}

static void append_time_us_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "long",
                                                  .name = "io.debezium.time.MicroTime",
                                                  .default_json = default_json});
}

static void append_timestamp_ms_schema(struct bytes *out, const struct value_type *t,
                                       struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "long",
                                                  .name = "io.debezium.time.Timestamp",
                                                  .default_json = default_json});
}

static void append_timestamp_us_schema(struct bytes *out, const struct value_type *t,
                                       struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "long",
                                                  .name = "io.debezium.time.MicroTimestamp",
                                                  .default_json = default_json});
}

static void append_zoned_timestamp_schema(struct bytes *out, const struct value_type *t,
                                          struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.time.ZonedTimestamp",
                                                  .default_json = default_json});
}

static void append_zoned_time_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                     struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.time.ZonedTime",
                                                  .default_json = default_json});
}

// Values of these types are never TOASTed, so they need no placeholder.
const struct type_ops PG_TEMPORAL_DATE = {
    .append_text = append_date_text,
    .append_binary = append_date_binary,
    .write_text = pg_temporal_write_date,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_date_schema,
    .computed_default = "1970-01-01",
    .array = &PG_ARRAY_PLACEHOLDER_CODES,
};
const struct type_ops PG_TEMPORAL_TIME_MS = {
    .append_text = append_time_ms_text,
    .append_binary = append_time_ms_binary,
    .write_text = pg_temporal_write_time,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_time_ms_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_TIME_US = {
    .append_text = append_time_us_text,
    .append_binary = append_time_us_binary,
    .write_text = pg_temporal_write_time,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_time_us_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_TIMESTAMP_MS = {
    .append_text = append_timestamp_ms_text,
    .append_binary = append_timestamp_ms_binary,
    .write_text = pg_temporal_write_timestamp,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_timestamp_ms_schema,
    .computed_default = "1970-01-01 00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_TIMESTAMP_US = {
    .append_text = append_timestamp_us_text,
    .append_binary = append_timestamp_us_binary,
    .write_text = pg_temporal_write_timestamp,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_timestamp_us_schema,
    .computed_default = "1970-01-01 00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_ZONED_TIMESTAMP = {
    .append_text = append_zoned_timestamp_text,
    .append_binary = append_zoned_binary,
    .write_text = pg_temporal_write_zoned_timestamp,
    .append_zero = append_zoned_timestamp_zero,
    .append_default = pg_json_string,
    .append_schema = append_zoned_timestamp_schema,
    .computed_default = "1970-01-01 00:00:00+00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_ZONED_TIME = {
    .append_text = append_zoned_time_text,
    .append_binary = append_zoned_time_binary,
    .write_text = pg_temporal_write_zoned_time,
    .append_zero = append_zoned_time_zero,
    .append_schema = append_zoned_time_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
