#include "connectors/postgres/values/pg_temporal_write.h"

#include "connectors/postgres/values/pg_datetime_write.h"

enum value_step pg_temporal_write_date(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f)
{
    (void)t;
    int64_t days;
    if (!pg_datetime_date_binary(data, &days, f)) {
        return VALUE_FAULT;
    }
    out->size += pg_datetime_write_date(bytes_reserve(out, PG_DATETIME_TEXT_MAX), days);
    return VALUE_DONE;
}

enum value_step pg_temporal_write_time(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f)
{
    (void)t;
    int64_t us;
    if (!pg_datetime_time_binary(data, &us, f)) {
        return VALUE_FAULT;
    }
    out->size += pg_datetime_write_time(bytes_reserve(out, PG_DATETIME_TEXT_MAX), us);
    return VALUE_DONE;
}

enum value_step pg_temporal_write_zoned_time(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    (void)t;
    struct pg_datetime_zoned_time time;
    if (!pg_datetime_zoned_time_binary(data, &time, f)) {
        return VALUE_FAULT;
    }
    out->size += pg_datetime_write_zoned_time(bytes_reserve(out, PG_DATETIME_TEXT_MAX), &time);
    return VALUE_DONE;
}

static enum value_step write_timestamp(struct bytes *out, const char *zone, struct slice data,
                                       struct fault *f)
{
    int64_t us;
    if (!pg_datetime_timestamp_binary(data, &us, f)) {
        return VALUE_FAULT;
    }
    out->size += pg_datetime_write_timestamp(bytes_reserve(out, PG_DATETIME_TEXT_MAX), us, zone);
    return VALUE_DONE;
}

enum value_step pg_temporal_write_timestamp(struct bytes *out, const struct value_type *t, struct slice data,
                                            struct fault *f)
{
    (void)t;
    return write_timestamp(out, "", data, f);
}

enum value_step pg_temporal_write_zoned_timestamp(struct bytes *out, const struct value_type *t,
                                                  struct slice data, struct fault *f)
{
    (void)t;
    return write_timestamp(out, "+00", data, f);
}
