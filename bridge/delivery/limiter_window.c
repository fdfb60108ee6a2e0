#include "bridge/delivery/limiter_window.h"

static void begin_round(struct limiter_window *w)
{
    w->responses = w->slow = w->very_slow = 0;
    w->running_max = w->running;
}

static void set_limit(struct limiter_window *w, size_t limit)
{
    w->limit = limit < w->max ? limit : w->max;
    w->cause = w->limit == w->max ? WINDOW_NOT_REDUCED : w->cause;
}

void limiter_window_init(struct limiter_window *w, size_t max, int64_t target_us)
{
    *w = (struct limiter_window){.limit = max, .max = max, .threshold = max, .target_us = target_us};
}

void limiter_window_adjust(struct limiter_window *w, size_t max, int64_t target_us)
{
    size_t limit = w->limit == w->max ? max : w->limit;
    w->threshold = w->threshold == w->max || w->threshold > max ? max : w->threshold;
    w->max = max;
    set_limit(w, limit);
    if (w->target_us != target_us) {
        w->target_us = target_us;
        w->is_missed = false;
        begin_round(w);
    }
}

/** Doubles the limit with each response. False: it is not below the threshold. */
static bool double_limit(struct limiter_window *w)
{
    if (w->limit >= w->threshold) {
        return false;
    }
    set_limit(w, w->limit * 2 < w->threshold ? w->limit * 2 : w->threshold);
    return true;
}

static void grow(struct limiter_window *w)
{
    if (w->limit < w->max && !double_limit(w) && ++w->responses >= w->limit) {
        w->responses = 0;
        set_limit(w, w->limit + 1);
    }
}

static size_t half_of(size_t limit)
{
    return limit / 2 > 0 ? limit / 2 : 1;
}

/** The calls of a round took longer than the target. */
static void shrink_for_latency(struct limiter_window *w)
{
    bool is_very_slow = w->very_slow * 2 > w->responses;
    size_t used = w->running_max < w->limit ? w->running_max : w->limit;
    w->is_missed = used <= 1;
    if (w->is_missed) {
        begin_round(w);
        return;
    }
    size_t limit = is_very_slow ? half_of(used) : used - (used + 9) / 10;
    limiter_window_restart(w, limit, limit, WINDOW_LATENCY);
}

/** Counts a response in its round. */
static void note_latency(struct limiter_window *w, int64_t took_us)
{
    w->responses++;
    w->slow += took_us > w->target_us ? 1 : 0;
    w->very_slow += took_us > 2 * w->target_us ? 1 : 0;
    if (w->responses < WINDOW_ROUND_MIN || w->responses < w->running_max) {
        return;
    }
    if (w->slow * 2 > w->responses) {
        shrink_for_latency(w);
        return;
    }
    w->is_missed = false;
    if (w->running_max >= w->limit && w->limit >= w->threshold) {
        set_limit(w, w->limit + 1);
    }
    begin_round(w);
}

void limiter_window_succeed(struct limiter_window *w, int64_t took_us)
{
    if (w->target_us == 0) {
        grow(w);
        return;
    }
    if (took_us <= w->target_us) {
        (void)double_limit(w);
    }
    note_latency(w, took_us);
}

void limiter_window_fail(struct limiter_window *w, int64_t took_us)
{
    if (w->target_us == 0) {
        grow(w);
    } else if (took_us > w->target_us) {
        note_latency(w, took_us);
    } else {
        (void)double_limit(w);
    }
}

void limiter_window_time_out(struct limiter_window *w)
{
    if (w->target_us > 0) {
        note_latency(w, INT64_MAX);
    }
}

void limiter_window_raise(struct limiter_window *w, size_t limit)
{
    set_limit(w, limit > w->limit ? limit : w->limit);
}

void limiter_window_shrink(struct limiter_window *w, enum window_cause cause)
{
    limiter_window_restart(w, half_of(w->limit), half_of(w->limit), cause);
}

void limiter_window_restart(struct limiter_window *w, size_t limit, size_t threshold, enum window_cause cause)
{
    w->cause = cause;
    set_limit(w, limit);
    w->threshold = threshold < w->max ? threshold : w->max;
    w->is_missed = false;
    w->shrinks++;
    w->shrinks_by[cause]++;
    begin_round(w);
}

const char *limiter_window_cause_text(enum window_cause cause)
{
    static const char *const texts[WINDOW_CAUSES] = {
        [WINDOW_NOT_REDUCED] = "none", [WINDOW_THROTTLED] = "throttle", [WINDOW_TIMED_OUT] = "timeout",
        [WINDOW_LATENCY] = "latency",  [WINDOW_BREAKER] = "breaker",    [WINDOW_REPLACED] = "new_endpoint",
    };
    return texts[cause];
}
