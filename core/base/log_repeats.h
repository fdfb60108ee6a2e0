// Limits how many lines with the same event and component are written, so that a repeated failure does not
// fill the log.
#ifndef CORE_BASE_LOG_REPEATS_H
#define CORE_BASE_LOG_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_REPEAT_LINES = 200, LOG_REPEAT_SECONDS = 10 };

struct log_repeat {
    char component[80];
    char event[40];
    int64_t since_us;  // start of the window, monotonic
    uint64_t lines;
    uint64_t suppressed;
    bool is_used;
};

/**
 * Counts one line; false when the window has LOG_REPEAT_LINES already: do not write it.
 *
 * @param on_suppressed  called with each window that has ended and in which lines were suppressed
 */
bool log_repeats_count(const char *component, const char *event,
                       void (*on_suppressed)(const struct log_repeat *repeat));

/** Ends windows whose time is over; calls on_suppressed as log_repeats_count does. */
void log_repeats_expire(void (*on_suppressed)(const struct log_repeat *repeat));

#endif
