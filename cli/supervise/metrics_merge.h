// Merges the Prometheus expositions of several processes: identical series become one.
#ifndef CLI_SUPERVISE_METRICS_MERGE_H
#define CLI_SUPERVISE_METRICS_MERGE_H

#include "core/base/bytes.h"

struct metrics_merge;

struct metrics_merge *metrics_merge_new(void);

/**
 * Adds one process's exposition text (as core/metrics writes it). Values of existing series are summed; for
 * `…_lag_seconds`, `…_error_seconds` and `…_state` the largest value is kept. Ignores invalid lines.
 */
void metrics_merge_add(struct metrics_merge *m, struct slice text);

enum metrics_merge_kinds {
    METRICS_MERGE_COUNTERS = 1,  // and histograms
    METRICS_MERGE_LASTING_GAUGES =
        2,  // gauges that stay valid after the process has ended: not states or in-flight counts
};

/** As metrics_merge_add, but only families of these kinds (bits). */
void metrics_merge_add_kinds(struct metrics_merge *m, struct slice text, unsigned kinds);

/** Appends everything, HELP and TYPE once for each name, in order of first appearance. */
void metrics_merge_write(const struct metrics_merge *m, struct bytes *out);

/** Accepts NULL. */
void metrics_merge_free(struct metrics_merge *m);

#endif
