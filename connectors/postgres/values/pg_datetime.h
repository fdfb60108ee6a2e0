// Converts PostgreSQL's dates and times, as text with DateStyle ISO and TimeZone UTC, to Debezium's numbers
// and strings.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_DATETIME_H
#define CONNECTORS_POSTGRES_VALUES_PG_DATETIME_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** "2026-01-02", "0044-03-15 BC", "infinity": days since 1970-01-01, proleptic Gregorian. */
bool pg_datetime_date(struct slice text, int32_t *ret_days, struct fault *f) MUST_USE;

/** "03:04:05.678901", "24:00:00": microseconds since midnight. */
bool pg_datetime_time(struct slice text, int64_t *ret_us, struct fault *f) MUST_USE;

/** The time since 1970-01-01 00:00:00 UTC is the sum of both members. */
struct pg_datetime_timestamp {
    int64_t seconds;
    int64_t us;
};

/** "2026-01-02 03:04:05.678901", with " BC", "infinity". */
bool pg_datetime_timestamp(struct slice text, struct pg_datetime_timestamp *ret, struct fault *f) MUST_USE;

/**
 * Appends "2026-01-02 03:04:05.67+00" as the Avro string "2026-01-02T03:04:05.670000Z", "infinity" unchanged.
 *
 * @param precision  number of fraction digits; 0: no fraction; -1: 6
 */
bool pg_datetime_append_zoned(struct bytes *out, struct slice text, int precision, struct fault *f) MUST_USE;

/** Appends "03:04:05.67+02" as the Avro string "01:04:05.67Z", without trailing zeros in the fraction. */
bool pg_datetime_append_zoned_time(struct bytes *out, struct slice text, struct fault *f) MUST_USE;

#endif
