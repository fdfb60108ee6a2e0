// Metrics of a child across its restarts: counters continue where the last process left them.
#ifndef CLI_SUPERVISE_METRICS_HISTORY_H
#define CLI_SUPERVISE_METRICS_HISTORY_H

#include "core/base/bytes.h"

struct metrics_history;

struct metrics_history *metrics_history_new(void);

/** The process has ended; `text` is the last exposition it reported. */
void metrics_history_end(struct metrics_history *h, struct slice text);

/**
 * Appends the metrics of all processes so far. Counters and histograms are summed. Gauges are those of
 * `live`; if it is empty, those of the last process, except states and in-flight counts.
 */
void metrics_history_write(const struct metrics_history *h, struct slice live, struct bytes *out);

/** Accepts NULL. */
void metrics_history_free(struct metrics_history *h);

#endif
