// The Prometheus series of one function (millrace_function_*).
#ifndef BRIDGE_DELIVERY_FUNCTION_METRICS_H
#define BRIDGE_DELIVERY_FUNCTION_METRICS_H

#include "bridge/delivery/limiter.h"
#include "core/metrics.h"

/** Plain data, embedded. `metrics` owns the series. */
struct function_metrics {
    struct metrics *metrics;  // lent
    char *function;
    struct metric *lag_records;
    struct metric *lag_seconds;
    struct metric *in_flight;
    struct metric *delivered;
    struct metric *filtered;
    struct metric *coalesced;
    struct metric *filter_fields_missing;
    struct metric *dead_lettered;
    struct metric *invalid_responses;
    struct metric *replies;
    struct metric *foreign_responses;
    struct metric *cut_responses;
    struct metric *bisected;
    struct metric *offset_resets;
    struct metric *invocation_duration;
    struct metric *event_latency;
    struct metric *concurrency_limit;
    struct metric *decreases[WINDOW_CAUSES];  // [WINDOW_NOT_REDUCED] is NULL
    struct metric *breaker_open;
    struct metric *parked_keys;
    struct metric *waits[LIMITER_REASONS];  // [LIMITER_ADMITS] is NULL
};

void function_metrics_init(struct function_metrics *m, struct metrics *metrics, const char *function);

/** Removes the function's series. */
void function_metrics_clear(struct function_metrics *m);

void function_metrics_count_retry(struct function_metrics *m, const char *reason);
void function_metrics_count_dead_letter(struct function_metrics *m, const char *reason);

/** Adds the time that events waited for a limit, which is not LIMITER_ADMITS. */
void function_metrics_add_wait(struct function_metrics *m, enum limiter_reason reason, int64_t us);

/** Sets the state gauge of `to` to 1 and that of `from` to 0. */
void function_metrics_set_state(struct function_metrics *m, const char *from, const char *to);

#endif
