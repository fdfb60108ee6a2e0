// Avro's logical types without Kafka Connect's annotations. Nothing is rounded or moved to another zone.
#include "connectors/postgres/values/pg_temporal_native.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_datetime_write.h"
#include "connectors/postgres/values/pg_forms.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_temporal_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

// As PostgreSQL's own: the ends of 32 bits are its infinities.
static inline enum value_step emit_date(struct bytes *out, const struct value_type *t, const int64_t *days,
                                        struct fault *f)
{
    (void)t;
    (void)f;
    int64_t value = *days;
    if (__builtin_expect(pg_datetime_is_infinite(value), 0)) {
        value = value == PG_DATETIME_INFINITY ? INT32_MAX : INT32_MIN;
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static inline enum value_step emit_time(struct bytes *out, const struct value_type *t, const int64_t *us,
                                        struct fault *f)
{
    (void)t;
    (void)f;
    avro_encode_long(out, *us);
    return VALUE_DONE;
}

// The ends of 64 bits are the infinities. A finite timestamp that does not fit, or is one of them, has no
// form.
static inline enum value_step emit_timestamp(struct bytes *out, const struct value_type *t, const int64_t *us,
                                             struct fault *f)
{
    (void)t;
    int64_t value = *us;
    bool is_infinite = pg_datetime_is_infinite(value);
    if (!is_infinite &&
        (__builtin_add_overflow(value, PG_DATETIME_EPOCH_US, &value) || pg_datetime_is_infinite(value))) {
        (void)fault_set(f, FAULT_REJECT,
                        "a timestamp after 294247-01-10 04:00:54.775806 does not fit timestamp-micros: use "
                        "temporal: iso for such values");
        return VALUE_NONE;
    }
    avro_encode_long(out, value);
    return VALUE_DONE;
}

static inline enum value_step emit_zoned_time(struct bytes *out, const struct value_type *t,
                                              const struct pg_datetime_zoned_time *time, struct fault *f)
{
    (void)t;
    (void)f;
    uint8_t text[PG_DATETIME_TEXT_MAX];
    avro_encode_string(out, slice_make(text, pg_datetime_iso_zoned_time(text, time)));
    return VALUE_DONE;
}

PG_FORMS(append_date, int64_t, pg_datetime_date, pg_datetime_date_binary, emit_date)
PG_FORMS(append_time, int64_t, pg_datetime_time, pg_datetime_time_binary, emit_time)
PG_FORMS(append_timestamp, int64_t, pg_datetime_timestamp, pg_datetime_timestamp_binary, emit_timestamp)
PG_FORMS(append_zoned_timestamp, int64_t, pg_datetime_zoned_timestamp, pg_datetime_timestamp_binary,
         emit_timestamp)
PG_FORMS(append_zoned_time, struct pg_datetime_zoned_time, pg_datetime_zoned_time,
         pg_datetime_zoned_time_binary, emit_zoned_time)

static void append_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_zoned_time_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("00:00:00+00:00"));
}

static void append_date_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out,
                       &(struct type_schema){.type = "int", .logical = "date", .default_json = default_json});
}

static void append_time_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(
        out, &(struct type_schema){.type = "long", .logical = "time-micros", .default_json = default_json});
}

static void append_timestamp_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                    struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "long",
                                                  .logical = "local-timestamp-micros",
                                                  .default_json = default_json});
}

static void append_zoned_timestamp_schema(struct bytes *out, const struct value_type *t,
                                          struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){
                                .type = "long", .logical = "timestamp-micros", .default_json = default_json});
}

static void append_zoned_time_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                     struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string", .default_json = default_json});
}

const struct type_ops PG_TEMPORAL_NATIVE_DATE = {
    .append_text = append_date_text,
    .append_binary = append_date_binary,
    .write_text = pg_temporal_write_date,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_date_schema,
    .computed_default = "1970-01-01",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_NATIVE_TIME = {
    .append_text = append_time_text,
    .append_binary = append_time_binary,
    .write_text = pg_temporal_write_time,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_time_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_NATIVE_TIMESTAMP = {
    .append_text = append_timestamp_text,
    .append_binary = append_timestamp_binary,
    .write_text = pg_temporal_write_timestamp,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_timestamp_schema,
    .computed_default = "1970-01-01 00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_NATIVE_ZONED_TIMESTAMP = {
    .append_text = append_zoned_timestamp_text,
    .append_binary = append_zoned_timestamp_binary,
    .write_text = pg_temporal_write_zoned_timestamp,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_zoned_timestamp_schema,
    .computed_default = "1970-01-01 00:00:00+00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_NATIVE_ZONED_TIME = {
    .append_text = append_zoned_time_text,
    .append_binary = append_zoned_time_binary,
    .write_text = pg_temporal_write_zoned_time,
    .append_zero = append_zoned_time_zero,
    .append_default = pg_json_string,
    .append_schema = append_zoned_time_schema,
    .computed_default = "00:00:00+00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
