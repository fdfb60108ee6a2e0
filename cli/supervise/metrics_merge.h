// One Prometheus exposition out of several processes': identical series become one.
#ifndef CLI_SUPERVISE_METRICS_MERGE_H
#define CLI_SUPERVISE_METRICS_MERGE_H

#include "core/base/bytes.h"

struct metrics_merge;

struct metrics_merge *metrics_merge_new(void);

/**
 * Adds one process's exposition text (core/metrics writes it). Series that are there already: counters,
 * histograms and gauges are summed; of `…_lag_seconds`, `…_error_seconds` and `…_state` the largest stays.
 * Lines that are none are left out.
 */
void metrics_merge_add(struct metrics_merge *m, struct slice text);

/** Appends all of it, HELP and TYPE once a name, in the order in which names and series came first. */
void metrics_merge_write(const struct metrics_merge *m, struct bytes *out);

/** Accepts NULL. */
void metrics_merge_free(struct metrics_merge *m);

#endif
