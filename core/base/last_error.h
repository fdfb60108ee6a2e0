// The error that a part has now, and since when: what status, /readyz, metrics and log say about it.
#ifndef CORE_BASE_LAST_ERROR_H
#define CORE_BASE_LAST_ERROR_H

#include <stdbool.h>

#include "core/base/bytes.h"

/** Zero-initialised: no error. */
struct last_error {
    char text[480];
    int64_t since_us;       // monotonic; when the first error of this row came
    int64_t since_wall_us;  // the same moment, for people
    bool is_set;
};

/** The part has this error. While it has one already, `since` stays and the text becomes the newest. */
void last_error_set(struct last_error *e, const char *text);

/** The part works again. */
void last_error_clear(struct last_error *e);

/** How long the error has lasted; 0 without one. */
int64_t last_error_age_us(const struct last_error *e);

/**
 * Appends the JSON members `"last_error":"…","since":"2026-01-31T12:00:00.000Z","error_seconds":12`; null,
 * null and 0 without an error. Every connector's and function's entry in a status report has them; /readyz,
 * `millrace status` and the metrics `millrace_{connector,function}_error_seconds` are made of them by
 * cli/supervise/health.
 */
void last_error_write(const struct last_error *e, struct bytes *out);

#endif
