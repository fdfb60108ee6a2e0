// What operators see of a function's limits: metrics, status, log lines.
#include "bridge/delivery/delivery_state.h"
#include "core/base/clock.h"
#include "core/base/log.h"

void delivery_note_wait(struct delivery *d, enum limiter_reason reason, int64_t now_us)
{
    if (d->waits_for != LIMITER_ADMITS) {
        function_metrics_add_wait(d->metrics, d->waits_for, now_us - d->waits_since_us);
    }
    d->waits_for = reason;
    d->waits_since_us = now_us;
}

/** Says once that latency reduces the concurrency, and once that it is restored. */
static void log_latency(struct delivery *d)
{
    const struct limiter_window *w = &d->limiter.window;
    bool is_reduced = w->limit < w->max && (d->is_reduction_logged || w->cause == WINDOW_LATENCY);
    if (is_reduced != d->is_reduction_logged) {
        d->is_reduction_logged = is_reduced;
        log_info(d->component, is_reduced ? "concurrency_reduced" : "concurrency_restored",
                 LOG_WITH(LOG_NUMBER("limit", w->limit), LOG_NUMBER("concurrency", w->max),
                          LOG_NUMBER("target_latency_ms", w->target_us / CLOCK_US_PER_MS)),
                 is_reduced ? "most calls take longer than delivery.target_latency: fewer run at once"
                            : "as many calls run at once as before");
    }
    if (w->is_missed && !d->is_miss_logged) {
        log_warn(
            d->component, "target_latency_missed",
            LOG_WITH(LOG_NUMBER("target_latency_ms", w->target_us / CLOCK_US_PER_MS)),
            "most calls take longer than delivery.target_latency even one at a time: fewer at once don't "
            "make them faster; raise it, or find out what slows them down");
    }
    d->is_miss_logged = w->is_missed;
}

void delivery_tick_limits(struct delivery *d)
{
    struct limiter_window *w = &d->limiter.window;
    delivery_note_wait(d, d->waits_for, clock_now_us());
    metric_set(d->metrics->concurrency_limit, (double)w->limit);
    metric_set(d->metrics->breaker_open, limiter_is_open(&d->limiter) ? 1 : 0);
    for (int i = WINDOW_NOT_REDUCED + 1; i < WINDOW_CAUSES; i++) {
        metric_add(d->metrics->decreases[i], (double)w->shrinks_by[i]);
        w->shrinks_by[i] = 0;
    }
    log_latency(d);
}

char *delivery_throttled_text(const struct delivery *d)
{
    if (!limiter_is_open(&d->limiter)) {
        return NULL;
    }
    if (d->limiter.breaker.state == BREAKER_FAILING) {
        return memory_format("calls of %zu different keys failed in a row; single calls probe it: %s",
                             d->limiter.breaker.failure_count, d->error.text);
    }
    return memory_string(d->error.text);
}

void delivery_status_limits(const struct delivery *d, struct bytes *out)
{
    const struct limiter_window *w = &d->limiter.window;
    const struct limiter_breaker *b = &d->limiter.breaker;
    bytes_format(out, ",\"breaker\":\"%s\"", limiter_breaker_state_text(b->state));
    if (b->state != BREAKER_CLOSED) {
        int64_t since_us = clock_wall_us() - (clock_now_us() - b->opened_us);
        bytes_format(out, ",\"breaker_open_since_ms\":%" PRId64, since_us / CLOCK_US_PER_MS);
    }
    bytes_format(out, ",\"concurrency_limit\":%zu,\"concurrency_reduced_by\":\"%s\",\"waits_for\":\"%s\"",
                 w->limit, limiter_window_cause_text(w->cause), limiter_reason_text(d->waits_for));
}
