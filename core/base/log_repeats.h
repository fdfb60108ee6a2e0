// Counts lines of one event and component, so that a failure that repeats does not fill the log.
#ifndef CORE_BASE_LOG_REPEATS_H
#define CORE_BASE_LOG_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_REPEAT_LINES = 200, LOG_REPEAT_SECONDS = 10 };

struct log_repeat {
    char component[80];
    char event[40];
    int64_t since_us;  // when its window began
    uint64_t lines;
    uint64_t suppressed;
    bool is_used;
};

/**
 * Counts one line; false when it is one too many in its window.
 *
 * @param on_suppressed  called with a window that has ended and had lines suppressed
 */
bool log_repeats_count(const char *component, const char *event,
                       void (*on_suppressed)(const struct log_repeat *repeat));

/** Calls on_suppressed for each window that has ended with lines suppressed. */
void log_repeats_expire(void (*on_suppressed)(const struct log_repeat *repeat));

#endif
