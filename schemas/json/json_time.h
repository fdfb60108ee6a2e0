// Dates and times as ISO 8601 text in JSON strings; Debezium's infinities as "infinity" and "-infinity".
#ifndef SCHEMAS_JSON_JSON_TIME_H
#define SCHEMAS_JSON_JSON_TIME_H

#include "core/base/bytes.h"

/** @param days  since 1970-01-01, proleptic Gregorian; years outside 0000-9999 are written with their sign */
void json_time_date(struct bytes *out, int64_t days);

/**
 * Appends a time of day, "03:04:05.5", up to 24:00:00; a value outside the day is written as a number.
 *
 * @param digits  3, 6 or 9: the unit is 10^-digits seconds
 */
void json_time_of_day(struct bytes *out, int64_t value, size_t digits);

/** @param suffix  "" for local time, "Z" for an instant */
void json_time_timestamp(struct bytes *out, int64_t value, size_t digits, const char *suffix);

#endif
