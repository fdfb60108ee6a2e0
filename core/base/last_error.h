// A component's current error and since when it lasts, for status, /readyz, metrics and log.
#ifndef CORE_BASE_LAST_ERROR_H
#define CORE_BASE_LAST_ERROR_H

#include <stdbool.h>

#include "core/base/bytes.h"

/** Zero-initialised: no error. */
struct last_error {
    char text[480];
    int64_t since_us;       // monotonic; when the first error without a success in between happened
    int64_t since_wall_us;  // the same moment on the wall clock
    bool is_set;
};

/** Sets the error. When one is set already, `since` stays and only the text is replaced. */
void last_error_set(struct last_error *e, const char *text);

/** As last_error_set; an error that is not set yet began `age_us` ago. */
void last_error_set_aged(struct last_error *e, const char *text, int64_t age_us);

/** The component works again. */
void last_error_clear(struct last_error *e);

/** How long the error has lasted; 0 without an error. */
int64_t last_error_age_us(const struct last_error *e);

/**
 * Appends the JSON members `"last_error":"…","since":"2026-01-31T12:00:00.000Z","error_seconds":12`; null,
 * null and 0 without an error. Every connector's and function's entry in a status report has them;
 * cli/supervise/health makes /readyz, `millrace status` and the metrics
 * `millrace_{connector,function}_error_seconds` from them.
 */
void last_error_write(const struct last_error *e, struct bytes *out);

#endif
