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

/** The sum of the samples that begin so: `name{label="a"`. */
double metrics_merge_sum(struct slice text, const char *beginning);

enum metrics_merge_kinds {
    METRICS_MERGE_COUNTERS = 1,  // and histograms
    METRICS_MERGE_LASTING_GAUGES =
        2,  // what is still true of a process that has ended: no state, nothing in flight
};

/** As metrics_merge_add, but only families of these kinds (bits). */
void metrics_merge_add_kinds(struct metrics_merge *m, struct slice text, unsigned kinds);

/** Appends all of it, HELP and TYPE once a name, in the order in which names and series came first. */
void metrics_merge_write(const struct metrics_merge *m, struct bytes *out);

/** Accepts NULL. */
void metrics_merge_free(struct metrics_merge *m);

#endif
