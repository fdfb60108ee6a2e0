#include "connectors/postgres/values/pg_temporal.h"

#include "connectors/postgres/values/pg_datetime.h"
#include "core/base/clock.h"
#include "schemas/avro/avro_encode.h"

static enum value_step append_date(struct bytes *out, const struct column *c, struct slice text,
                                   struct fault *f)
{
    (void)c;
    int32_t days;
    if (!pg_datetime_date(text, &days, f)) {
        return VALUE_FAULT;
    }
    avro_encode_long(out, days);
    return VALUE_DONE;
}

static enum value_step append_time(struct bytes *out, const struct column *c, struct slice text,
                                   struct fault *f)
{
    int64_t us;
    if (!pg_datetime_time(text, &us, f)) {
        return VALUE_FAULT;
    }
    avro_encode_long(out, c->type == COLUMN_TIME_MS ? us / CLOCK_US_PER_MS : us);
    return VALUE_DONE;
}

static enum value_step append_timestamp(struct bytes *out, const struct column *c, struct slice text,
                                        struct fault *f)
{
    struct pg_datetime_timestamp at;
    if (!pg_datetime_timestamp(text, &at, f)) {
        return VALUE_FAULT;
    }
    int64_t value;
    int64_t unit_us = c->type == COLUMN_TIMESTAMP_MS ? CLOCK_US_PER_MS : 1;
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

static enum value_step append_zoned_timestamp(struct bytes *out, const struct column *c, struct slice text,
                                              struct fault *f)
{
    return pg_datetime_append_zoned(out, text, c->precision, f) ? VALUE_DONE : VALUE_FAULT;
}

static enum value_step append_zoned_time(struct bytes *out, const struct column *c, struct slice text,
                                         struct fault *f)
{
    (void)c;
    return pg_datetime_append_zoned_time(out, text, f) ? VALUE_DONE : VALUE_FAULT;
}

static void append_zero(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_long(out, 0);
}

static void append_zoned_timestamp_zero(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_string(out, slice_of("1970-01-01T00:00:00Z"));
}

static void append_zoned_time_zero(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_string(out, slice_of("00:00:00Z"));
}

// Values of these types are never TOASTed, so they need no placeholder.
const struct value_ops PG_TEMPORAL_DATE = {append_date, append_zero, NULL};
const struct value_ops PG_TEMPORAL_TIME_MS = {append_time, append_zero, NULL};
const struct value_ops PG_TEMPORAL_TIME_US = {append_time, append_zero, NULL};
const struct value_ops PG_TEMPORAL_TIMESTAMP_MS = {append_timestamp, append_zero, NULL};
const struct value_ops PG_TEMPORAL_TIMESTAMP_US = {append_timestamp, append_zero, NULL};
const struct value_ops PG_TEMPORAL_ZONED_TIMESTAMP = {append_zoned_timestamp, append_zoned_timestamp_zero,
                                                      NULL};
const struct value_ops PG_TEMPORAL_ZONED_TIME = {append_zoned_time, append_zoned_time_zero, NULL};
