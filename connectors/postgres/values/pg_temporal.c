#include "connectors/postgres/values/pg_temporal.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_datetime.h"
#include "connectors/postgres/values/pg_json.h"
#include "core/base/clock.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

static enum value_step append_date(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    (void)t;
    int32_t days;
    if (!pg_datetime_date(text, &days, f)) {
        return VALUE_FAULT;
    }
    avro_encode_long(out, days);
    return VALUE_DONE;
}

static enum value_step append_time_us(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    (void)t;
    int64_t us;
    if (!pg_datetime_time(text, &us, f)) {
        return VALUE_FAULT;
    }
    avro_encode_long(out, us);
    return VALUE_DONE;
}

static enum value_step append_time_ms(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    (void)t;
    int64_t us;
    if (!pg_datetime_time(text, &us, f)) {
        return VALUE_FAULT;
    }
    avro_encode_long(out, us / CLOCK_US_PER_MS);
    return VALUE_DONE;
}

static enum value_step append_timestamp(struct bytes *out, struct slice text, int64_t unit_us,
                                        struct fault *f)
{
    struct pg_datetime_timestamp at;
    if (!pg_datetime_timestamp(text, &at, f)) {
        return VALUE_FAULT;
    }
    int64_t value;
    // Years after 294246 fit PostgreSQL's microseconds since 2000, but not microseconds since 1970.
    if (__builtin_mul_overflow(at.seconds, CLOCK_US_PER_S / unit_us, &value) ||
        __builtin_add_overflow(value, at.us / unit_us, &value)) {
        (void)fault_set(f, FAULT_REJECT, "timestamp %.*s does not fit 64 bits of microseconds since 1970",
                        (int)text.size, (const char *)text.data);
        return VALUE_NONE;
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static enum value_step append_timestamp_us(struct bytes *out, const struct value_type *t, struct slice text,
                                           struct fault *f)
{
    (void)t;
    return append_timestamp(out, text, 1, f);
}

static enum value_step append_timestamp_ms(struct bytes *out, const struct value_type *t, struct slice text,
                                           struct fault *f)
{
    (void)t;
    return append_timestamp(out, text, CLOCK_US_PER_MS, f);
}

static enum value_step append_zoned_timestamp(struct bytes *out, const struct value_type *t,
                                              struct slice text, struct fault *f)
{
    return pg_datetime_append_zoned(out, text, t->precision, f) ? VALUE_DONE : VALUE_FAULT;
}

static enum value_step append_zoned_time(struct bytes *out, const struct value_type *t, struct slice text,
                                         struct fault *f)
{
    (void)t;
    return pg_datetime_append_zoned_time(out, text, f) ? VALUE_DONE : VALUE_FAULT;
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

static void append_schema(struct bytes *out, const char *type, const char *name, struct slice default_json)
{
    type_schema_append(out, &(struct type_schema){.type = type, .name = name, .default_json = default_json});
}

static void append_date_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "int", "io.debezium.time.Date", default_json);
}

static void append_time_ms_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "int", "io.debezium.time.Time", default_json);
}

static void append_time_us_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "long", "io.debezium.time.MicroTime", default_json);
}

static void append_timestamp_ms_schema(struct bytes *out, const struct value_type *t,
                                       struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "long", "io.debezium.time.Timestamp", default_json);
}

static void append_timestamp_us_schema(struct bytes *out, const struct value_type *t,
                                       struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "long", "io.debezium.time.MicroTimestamp", default_json);
}

static void append_zoned_timestamp_schema(struct bytes *out, const struct value_type *t,
                                          struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "string", "io.debezium.time.ZonedTimestamp", default_json);
}

static void append_zoned_time_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                     struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "string", "io.debezium.time.ZonedTime", default_json);
}

// Values of these types are never TOASTed, so they need no placeholder.
const struct type_ops PG_TEMPORAL_DATE = {
    .append_text = append_date,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_date_schema,
    .computed_default = "1970-01-01",
    .array = &PG_ARRAY_PLACEHOLDER_CODES,
};
const struct type_ops PG_TEMPORAL_TIME_MS = {
    .append_text = append_time_ms,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_time_ms_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_TIME_US = {
    .append_text = append_time_us,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_time_us_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_TIMESTAMP_MS = {
    .append_text = append_timestamp_ms,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_timestamp_ms_schema,
    .computed_default = "1970-01-01 00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_TIMESTAMP_US = {
    .append_text = append_timestamp_us,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_timestamp_us_schema,
    .computed_default = "1970-01-01 00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_ZONED_TIMESTAMP = {
    .append_text = append_zoned_timestamp,
    .append_zero = append_zoned_timestamp_zero,
    .append_default = pg_json_string,
    .append_schema = append_zoned_timestamp_schema,
    .computed_default = "1970-01-01 00:00:00+00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_ZONED_TIME = {
    .append_text = append_zoned_time,
    .append_zero = append_zoned_time_zero,
    .append_schema = append_zoned_time_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
