// Reads PostgreSQL's dates and times from its text form, with DateStyle ISO and TimeZone UTC, and from its
// binary form.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_DATETIME_H
#define CONNECTORS_POSTGRES_VALUES_PG_DATETIME_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

// The infinities of dates and timestamps; no finite one has these values.
#define PG_DATETIME_INFINITY INT64_MAX
#define PG_DATETIME_MINUS_INFINITY INT64_MIN

#define PG_DATETIME_DAY_S INT64_C(86400)
#define PG_DATETIME_DAY_US INT64_C(86400000000)

// From 1970-01-01, where PostgreSQL's days and microseconds are counted from 2000-01-01.
#define PG_DATETIME_EPOCH_DAYS INT64_C(10957)
#define PG_DATETIME_EPOCH_US (PG_DATETIME_EPOCH_DAYS * PG_DATETIME_DAY_US)

struct pg_datetime_zoned_time {
    int64_t us;  // since midnight, where the zone is
    int64_t east_s;
};

/** "2026-01-02", "0044-03-15 BC", "infinity": days since 1970-01-01, proleptic Gregorian. */
bool pg_datetime_date(struct slice text, int64_t *ret_days, struct fault *f) MUST_USE;
bool pg_datetime_date_binary(struct slice data, int64_t *ret_days, struct fault *f) MUST_USE;

/** "03:04:05.678901", "24:00:00": microseconds since midnight. */
bool pg_datetime_time(struct slice text, int64_t *ret_us, struct fault *f) MUST_USE;
bool pg_datetime_time_binary(struct slice data, int64_t *ret_us, struct fault *f) MUST_USE;

/** "03:04:05.67+02". */
bool pg_datetime_zoned_time(struct slice text, struct pg_datetime_zoned_time *ret, struct fault *f) MUST_USE;
bool pg_datetime_zoned_time_binary(struct slice data, struct pg_datetime_zoned_time *ret,
                                   struct fault *f) MUST_USE;

/** "2026-01-02 03:04:05.678901", with " BC", "infinity": microseconds since 2000-01-01 00:00, the unit in
 * which each of PostgreSQL's timestamps has 64 bits. */
bool pg_datetime_timestamp(struct slice text, int64_t *ret_us, struct fault *f) MUST_USE;

/** The same with "+00" behind the time. */
bool pg_datetime_zoned_timestamp(struct slice text, int64_t *ret_us, struct fault *f) MUST_USE;

/** Of both. */
bool pg_datetime_timestamp_binary(struct slice data, int64_t *ret_us, struct fault *f) MUST_USE;

static inline bool pg_datetime_is_infinite(int64_t value)
{
    return value == PG_DATETIME_INFINITY || value == PG_DATETIME_MINUS_INFINITY;
}

#endif
