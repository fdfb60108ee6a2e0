// Kafka Connect's own types have milliseconds: microseconds are cut, as Debezium cuts them. The values are
// those of Debezium's types of milliseconds.
#include "connectors/postgres/values/pg_temporal_connect.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "connectors/postgres/values/pg_temporal_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

static enum value_step append_date_text(struct bytes *out, const struct value_type *t, struct slice text,
                                        struct fault *f)
{
    return PG_TEMPORAL_DATE.append_text(out, t, text, f);
}

static enum value_step append_date_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                          struct fault *f)
{
    return PG_TEMPORAL_DATE.append_binary(out, t, data, f);
}

static enum value_step append_time_text(struct bytes *out, const struct value_type *t, struct slice text,
                                        struct fault *f)
{
    return PG_TEMPORAL_TIME_MS.append_text(out, t, text, f);
}

static enum value_step append_time_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                          struct fault *f)
{
    return PG_TEMPORAL_TIME_MS.append_binary(out, t, data, f);
}

static enum value_step append_timestamp_text(struct bytes *out, const struct value_type *t, struct slice text,
                                             struct fault *f)
{
    return PG_TEMPORAL_TIMESTAMP_MS.append_text(out, t, text, f);
}

static enum value_step append_timestamp_binary(struct bytes *out, const struct value_type *t,
                                               struct slice data, struct fault *f)
{
    return PG_TEMPORAL_TIMESTAMP_MS.append_binary(out, t, data, f);
}

static void append_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_date_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "int",
                                                  .name = "org.apache.kafka.connect.data.Date",
                                                  .logical = "date",
                                                  .default_json = default_json});
}

static void append_time_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "int",
                                                  .name = "org.apache.kafka.connect.data.Time",
                                                  .logical = "time-millis",
                                                  .default_json = default_json});
}

static void append_timestamp_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                    struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "long",
                                                  .name = "org.apache.kafka.connect.data.Timestamp",
                                                  .logical = "timestamp-millis",
                                                  .default_json = default_json});
}

const struct type_ops PG_TEMPORAL_CONNECT_DATE = {
    .append_text = append_date_text,
    .append_binary = append_date_binary,
    .write_text = pg_temporal_write_date,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_date_schema,
    .computed_default = "1970-01-01",
    .array = &PG_ARRAY_PLACEHOLDER_CODES,
};
const struct type_ops PG_TEMPORAL_CONNECT_TIME = {
    .append_text = append_time_text,
    .append_binary = append_time_binary,
    .write_text = pg_temporal_write_time,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_time_schema,
    .computed_default = "00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_TEMPORAL_CONNECT_TIMESTAMP = {
    .append_text = append_timestamp_text,
    .append_binary = append_timestamp_binary,
    .write_text = pg_temporal_write_timestamp,
    .append_zero = append_zero,
    .append_default = pg_json_long,
    .append_schema = append_timestamp_schema,
    .computed_default = "1970-01-01 00:00:00",
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
