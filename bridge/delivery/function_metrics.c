#include "bridge/delivery/function_metrics.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

#define PREFIX "millrace_function_"

/** @param more  `,reason="429"` or "" */
static struct metric *series(struct function_metrics *m, enum metric_kind kind, const char *name,
                             const char *help, const char *more)
{
    CLEANUP(memory_free_pointer) char *labels = memory_format("function=\"%s\"%s", m->function, more);
    return metrics_series(m->metrics, kind, name, help, labels);
}

static struct metric *outcome(struct function_metrics *m, const char *more)
{
    return series(m, METRIC_COUNTER, PREFIX "events_total", "Events settled, by outcome", more);
}

static struct metric *dead_letters(struct function_metrics *m, const char *reason)
{
    CLEANUP(memory_free_pointer) char *more = memory_format(",reason=\"%s\"", reason);
    return series(m, METRIC_COUNTER, PREFIX "dead_letters_total", "Events dead-lettered, by reason", more);
}

/** Prometheus' increase() misses the first event of a counter that appears with it.
 */
static void make_dead_letters(struct function_metrics *m)
{
    static const char *const reasons[] = {"attempts_exhausted", "expired",       "rejected",
                                          "redirect",           "undecodable",   "unknown_schema",
                                          "oversize",           "reply_invalid", "reply_oversize",
                                          "too_many_hops",      "unrenderable"};
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        (void)dead_letters(m, reasons[i]);
    }
}

static void make_limits(struct function_metrics *m)
{
    m->concurrency_limit =
        series(m, METRIC_GAUGE, PREFIX "concurrency_limit", "Calls that may run at once, now", "");
    m->breaker_open = series(m, METRIC_GAUGE, PREFIX "breaker_open",
                             "1 while calls pause or one call probes the endpoint", "");
    for (int i = WINDOW_NOT_REDUCED + 1; i < WINDOW_CAUSES; i++) {
        CLEANUP(memory_free_pointer)
        char *more = memory_format(",reason=\"%s\"", limiter_window_cause_text((enum window_cause)i));
        m->decreases[i] = series(m, METRIC_COUNTER, PREFIX "concurrency_decreases_total",
                                 "How often concurrency_limit was reduced, by reason", more);
    }
    for (int i = LIMITER_ADMITS + 1; i < LIMITER_REASONS; i++) {
        CLEANUP(memory_free_pointer)
        char *more = memory_format(",reason=\"%s\"", limiter_reason_text((enum limiter_reason)i));
        m->waits[i] = series(m, METRIC_COUNTER, PREFIX "throttled_seconds_total",
                             "Time that events waited for a limit, by limit", more);
    }
}

void function_metrics_init(struct function_metrics *m, struct metrics *metrics, const char *function)
{
    *m = (struct function_metrics){.metrics = metrics, .function = memory_string(function)};
    m->lag_records = series(m, METRIC_GAUGE, PREFIX "lag_records",
                            "Records on Kafka from the first one that is not settled on", "");
    m->lag_seconds =
        series(m, METRIC_GAUGE, PREFIX "lag_seconds", "Age of the oldest record that is not settled", "");
    m->in_flight =
        series(m, METRIC_GAUGE, PREFIX "in_flight_invocations", "Calls that wait for their response", "");
    m->delivered = outcome(m, ",outcome=\"delivered\"");
    m->filtered = outcome(m, ",outcome=\"filtered\"");
    m->coalesced = outcome(m, ",outcome=\"coalesced\"");
    m->filter_fields_missing = series(m, METRIC_COUNTER, PREFIX "filter_fields_missing_total",
                                      "Events whose schema lacks a field of the filter", "");
    m->dead_lettered = outcome(m, ",outcome=\"dead_lettered\"");
    m->invalid_responses =
        series(m, METRIC_COUNTER, PREFIX "invalid_responses_total",
               "Responses whose body should name failed events and is invalid: the whole call failed", "");
    m->replies = series(m, METRIC_COUNTER, PREFIX "replies_total", "Replies that were published", "");
    m->foreign_responses =
        series(m, METRIC_COUNTER, PREFIX "foreign_responses_total",
               "Responses with a body that is neither JSON nor a CloudEvent: they were no reply", "");
    m->cut_responses = series(m, METRIC_COUNTER, PREFIX "cut_responses_total",
                              "Responses whose body was too long to be read to its end", "");
    m->bisected = series(m, METRIC_COUNTER, PREFIX "bisected_batches_total",
                         "Batches that failed and were sent again in two halves", "");
    m->offset_resets = outcome(m, ",outcome=\"lost_to_retention\"");
    m->parked_keys = series(m, METRIC_GAUGE, PREFIX "parked_keys",
                            "Keys that wait for a dead letter to be redriven or dropped", "");
    make_dead_letters(m);
    make_limits(m);
    m->invocation_duration = series(m, METRIC_HISTOGRAM, PREFIX "invocation_duration_seconds",
                                    "From sending a call to its response", "");
    m->event_latency = series(m, METRIC_HISTOGRAM, PREFIX "event_latency_seconds",
                              "From a change's commit to the function's response", "");
}

void function_metrics_clear(struct function_metrics *m)
{
    if (m->metrics == NULL) {
        return;
    }
    CLEANUP(memory_free_pointer) char *label = memory_format("function=\"%s\"", m->function);
    metrics_remove(m->metrics, label);
    free(m->function);
    *m = (struct function_metrics){0};
}

void function_metrics_count_retry(struct function_metrics *m, const char *reason)
{
    CLEANUP(memory_free_pointer) char *more = memory_format(",reason=\"%s\"", reason);
    metric_add(series(m, METRIC_COUNTER, PREFIX "retries_total",
                      "Calls that failed and may be repeated, by reason", more),
               1);
}

void function_metrics_count_dead_letter(struct function_metrics *m, const char *reason)
{
    metric_add(dead_letters(m, reason), 1);
}

void function_metrics_add_wait(struct function_metrics *m, enum limiter_reason reason, int64_t us)
{
    metric_add(m->waits[reason], (double)us / (double)CLOCK_US_PER_S);
}

void function_metrics_set_state(struct function_metrics *m, const char *from, const char *to)
{
    const char *const names[] = {from, to};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CLEANUP(memory_free_pointer) char *more = memory_format(",state=\"%s\"", names[i]);
        metric_set(series(m, METRIC_GAUGE, PREFIX "state", "1 for the current state", more),
                   strcmp(names[i], to) == 0 ? 1 : 0);
    }
}
