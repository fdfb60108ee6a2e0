// Debezium's isostring forms: ISO 8601 in UTC.
#include "connectors/postgres/values/pg_temporal_iso.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_datetime_write.h"
#include "connectors/postgres/values/pg_forms.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_temporal_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

static inline enum value_step emit_date(struct bytes *out, const struct value_type *t, const int64_t *value,
                                        struct fault *f)
{
    (void)t;
    (void)f;
    uint8_t text[PG_DATETIME_TEXT_MAX];
    avro_encode_string(out, slice_make(text, pg_datetime_iso_date(text, *value, "Z")));
    return VALUE_DONE;
}

static inline enum value_step emit_time(struct bytes *out, const struct value_type *t, const int64_t *value,
                                        struct fault *f)
{
    (void)t;
    (void)f;
    uint8_t text[PG_DATETIME_TEXT_MAX];
    avro_encode_string(out, slice_make(text, pg_datetime_iso_time(text, *value, "Z")));
    return VALUE_DONE;
}

static inline enum value_step emit_timestamp(struct bytes *out, const struct value_type *t,
                                             const int64_t *value, struct fault *f)
{
    (void)t;
    (void)f;
    uint8_t text[PG_DATETIME_TEXT_MAX];
    avro_encode_string(out,
                       slice_make(text, pg_datetime_iso_timestamp(text, *value, PG_DATETIME_TRIMMED, "Z")));
    return VALUE_DONE;
}

PG_FORMS(append_date, int64_t, pg_datetime_date, pg_datetime_date_binary, emit_date)
PG_FORMS(append_time, int64_t, pg_datetime_time, pg_datetime_time_binary, emit_time)
PG_FORMS(append_timestamp, int64_t, pg_datetime_timestamp, pg_datetime_timestamp_binary, emit_timestamp)

static void append_date_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("1970-01-01Z"));
}

static void append_time_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("00:00:00Z"));
}

static void append_timestamp_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("1970-01-01T00:00:00Z"));
}

static void append_date_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.time.IsoDate",
                                                  .default_json = default_json});
}

static void append_time_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.time.IsoTime",
                                                  .default_json = default_json});
}

static void append_timestamp_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                    struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.time.IsoTimestamp",
                                                  .default_json = default_json});
}

const struct type_ops PG_TEMPORAL_ISO_DATE = {
    .append_text = append_date_text,
    .append_binary = append_date_binary,
    .write_text = pg_temporal_write_date,
    .append_zero = append_date_zero,
    .append_default = pg_json_string,
    .append_schema = append_date_schema,
    .computed_default = "1970-01-01",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_ISO_TIME = {
    .append_text = append_time_text,
    .append_binary = append_time_binary,
    .write_text = pg_temporal_write_time,
    .append_zero = append_time_zero,
    .append_default = pg_json_string,
    .append_schema = append_time_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_ISO_TIMESTAMP = {
    .append_text = append_timestamp_text,
    .append_binary = append_timestamp_binary,
    .write_text = pg_temporal_write_timestamp,
    .append_zero = append_timestamp_zero,
    .append_default = pg_json_string,
    .append_schema = append_timestamp_schema,
    .computed_default = "1970-01-01 00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
