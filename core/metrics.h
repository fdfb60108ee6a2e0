// Prometheus metrics of one process: counters, gauges and histograms, written as exposition text.
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include "core/base/bytes.h"

struct metrics;
struct metric;  // one series: a name with its labels

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/**
 * Finds or creates the series.
 *
 * @param name    millrace_connector_changes_total
 * @param labels  `connector="shop",operation="create"`; values are escaped by the caller; "" for none
 * @return        borrowed from `m` until metrics_remove or metrics_free
 */
struct metric *metrics_series(struct metrics *m, enum metric_kind kind, const char *name, const char *help,
                              const char *labels);

/** Removes every series whose labels contain `label` (`function="order-email"`); pointers to it are invalid.
 */
void metrics_remove(struct metrics *m, const char *label);

void metric_add(struct metric *s, double amount);
void metric_set(struct metric *s, double value);

/** Histograms only: buckets 1-2.5-5 from 1 ms to 60 s; the exposition is in seconds. */
void metric_observe_us(struct metric *s, int64_t duration_us);

/** Appends all metrics in the text format, HELP and TYPE once for each name. A histogram without observations
 * has the bucket +Inf only. */
void metrics_write(const struct metrics *m, struct bytes *out);

/** Appends a sample's value: whole numbers without an exponent; NaN, +Inf and -Inf as Prometheus has them. */
void metrics_append_number(struct bytes *out, double value);

#endif
