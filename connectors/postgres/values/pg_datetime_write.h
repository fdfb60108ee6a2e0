// Writes PostgreSQL's dates and times: in its own text form (DateStyle ISO, TimeZone UTC), and in ISO 8601.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_DATETIME_WRITE_H
#define CONNECTORS_POSTGRES_VALUES_PG_DATETIME_WRITE_H

#include "connectors/postgres/values/pg_datetime.h"

enum { PG_DATETIME_TEXT_MAX = 64 };  // bytes of each of these texts at most

// Each writes the text to `to` and returns its size. Values are those that pg_datetime reads.

/** 2026-01-02, 0044-03-15 BC, infinity. */
size_t pg_datetime_write_date(uint8_t *to, int64_t days);
/** 03:04:05.67 */
size_t pg_datetime_write_time(uint8_t *to, int64_t us);
/** 03:04:05.67+05:30 */
size_t pg_datetime_write_zoned_time(uint8_t *to, const struct pg_datetime_zoned_time *time);
/** 2026-01-02 03:04:05.67 BC. @param zone  "" or "+00" */
size_t pg_datetime_write_timestamp(uint8_t *to, int64_t us, const char *zone);

enum { PG_DATETIME_TRIMMED = -1 };  // as many digits of the fraction as it has

// As Java writes them: years before 1 and after 9999 have a sign, and 1 BC is the year 0. Infinities are
// PostgreSQL's words.

/** @param suffix  "" or "Z" */
size_t pg_datetime_iso_date(uint8_t *to, int64_t days, const char *suffix);
size_t pg_datetime_iso_time(uint8_t *to, int64_t us, const char *suffix);
/** 03:04:05.67+05:30 */
size_t pg_datetime_iso_zoned_time(uint8_t *to, const struct pg_datetime_zoned_time *time);
/** @param digits  of the fraction; PG_DATETIME_TRIMMED */
size_t pg_datetime_iso_timestamp(uint8_t *to, int64_t us, int digits, const char *suffix);

#endif
