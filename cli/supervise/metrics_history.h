// The metrics of a process that comes and goes: counters go on where the last process left them.
#ifndef CLI_SUPERVISE_METRICS_HISTORY_H
#define CLI_SUPERVISE_METRICS_HISTORY_H

#include "core/base/bytes.h"

struct metrics_history;

struct metrics_history *metrics_history_new(void);

/** The process has ended; `text` is the last exposition it reported. */
void metrics_history_end(struct metrics_history *h, struct slice text);

/**
 * Appends the exposition of all processes so far: counters and histograms are summed, gauges are those of
 * `live`, or without one (empty) the last ones, but for states and what was in flight, which ended with the
 * process.
 */
void metrics_history_write(const struct metrics_history *h, struct slice live, struct bytes *out);

/** Accepts NULL. */
void metrics_history_free(struct metrics_history *h);

#endif
