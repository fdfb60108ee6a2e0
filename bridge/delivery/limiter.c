#include "bridge/delivery/limiter.h"

void limiter_init(struct limiter *l, const struct limiter_settings *s, int64_t now_us)
{
    struct shared_member shared = l->shared;
    *l = (struct limiter){.shared = shared};
    limiter_window_init(&l->window, s->concurrency, s->target_latency_us);
    limiter_breaker_init(&l->breaker, s->breaker_failures, s->backoff_initial_us, s->backoff_max_us);
    limiter_rate_set(&l->rate, &s->rate, s->burst, now_us);
}

void limiter_adjust(struct limiter *l, const struct limiter_settings *s, int64_t now_us)
{
    limiter_window_adjust(&l->window, s->concurrency, s->target_latency_us);
    limiter_breaker_adjust(&l->breaker, s->breaker_failures, s->backoff_initial_us, s->backoff_max_us);
    limiter_rate_set(&l->rate, &s->rate, s->burst, now_us);
}

static enum limiter_reason reason_of(const struct limiter_breaker *b)
{
    return b->state == BREAKER_THROTTLED ? LIMITER_ENDPOINT : LIMITER_BREAKER;
}

struct limiter_verdict limiter_admits(const struct limiter *l, bool is_unsent, int64_t now_us)
{
    int64_t at_us = limiter_breaker_next_us(&l->breaker, is_unsent);
    if (at_us > now_us) {
        return (struct limiter_verdict){reason_of(&l->breaker), at_us};
    }
    if (l->running >= l->window.limit) {
        enum limiter_reason reason = limiter_is_open(l) ? reason_of(&l->breaker) : LIMITER_CONCURRENCY;
        return (struct limiter_verdict){reason, LIMITER_WHEN_CALLED};
    }
    at_us = limiter_rate_next_us(&l->rate, now_us);
    if (at_us > now_us) {
        return (struct limiter_verdict){LIMITER_RATE, at_us};
    }
    struct shared_verdict shared = shared_limit_admits(&l->shared, now_us);
    if (!shared.admits) {
        return (struct limiter_verdict){LIMITER_SHARED, shared.at_us};
    }
    return (struct limiter_verdict){LIMITER_ADMITS, now_us};
}

struct limiter_call limiter_begin(struct limiter *l, int64_t now_us)
{
    l->running++;
    limiter_breaker_begin(&l->breaker, now_us);
    limiter_window_note_running(&l->window, l->running);
    limiter_rate_take(&l->rate, now_us);
    shared_limit_begin(&l->shared, now_us);
    return (struct limiter_call){l->breaker.generation, l->window.shrinks, now_us};
}

void limiter_end(struct limiter *l)
{
    l->running--;
    limiter_window_note_running(&l->window, l->running);
    shared_limit_end(&l->shared);
}

void limiter_succeed(struct limiter *l, struct limiter_call call, int64_t now_us)
{
    l->throttled = l->timed_out = 0;
    if (call.generation != l->breaker.generation) {
        return;
    }
    l->succeeded_us = now_us;
    limiter_breaker_succeed(&l->breaker, now_us);
    if (call.shrinks == l->window.shrinks) {
        limiter_window_succeed(&l->window, now_us - call.begun_us);
    }
}

/** Notes the key in `last`. Returns whether another key is there, from no longer ago than the last other
 * response. */
static bool is_second(uint64_t *last, uint64_t key)
{
    bool ret = *last != 0 && *last != key;
    *last = key;
    return ret;
}

/** Its failure says nothing of the endpoint, which has succeeded since the event failed first. */
static bool is_known_to_fail(const struct limiter *l, struct limiter_subject subject)
{
    return subject.tried_us != 0 && subject.tried_us < l->succeeded_us;
}

/** Notes a failure in the breaker. Returns whether that was all. */
static bool fail_breaker(struct limiter *l, struct limiter_subject subject, enum limiter_failure how,
                         int64_t now_us)
{
    struct limiter_breaker *b = &l->breaker;
    if (b->state == BREAKER_FAILING && subject.tried_us == 0 && how == LIMITER_FAILED) {
        limiter_window_raise(&l->window, limiter_breaker_fail_unsent(b));
        return true;
    }
    if (b->state != BREAKER_FAILING && is_known_to_fail(l, subject)) {
        return false;
    }
    bool ret = limiter_breaker_fail(b, subject.key, now_us);
    if (ret) {
        limiter_window_restart(&l->window, 1, l->window.max, WINDOW_BREAKER);
    }
    return ret;
}

void limiter_fail(struct limiter *l, struct limiter_call call, struct limiter_subject subject,
                  enum limiter_failure how, int64_t now_us)
{
    bool is_timeout = how == LIMITER_TIMED_OUT;
    l->throttled = 0;
    bool is_slow = is_timeout && is_second(&l->timed_out, subject.key);
    l->timed_out = is_timeout ? l->timed_out : 0;
    if (call.generation != l->breaker.generation) {
        return;
    }
    if (fail_breaker(l, subject, how, now_us)) {
        return;
    }
    bool responds = how == LIMITER_FAILED && l->breaker.state != BREAKER_FAILING;
    if (responds) {
        limiter_breaker_close(&l->breaker);
    }
    if (call.shrinks != l->window.shrinks) {
        return;
    }
    if (responds) {
        limiter_window_fail(&l->window, now_us - call.begun_us);
    } else if (is_slow) {
        limiter_window_shrink(&l->window, WINDOW_TIMED_OUT);
    } else if (is_timeout) {
        limiter_window_time_out(&l->window);
    }
}

void limiter_throttle(struct limiter *l, struct limiter_call call, struct limiter_subject subject,
                      int64_t wait_us, int64_t now_us)
{
    l->timed_out = 0;
    bool is_common = is_second(&l->throttled, subject.key);
    if (!is_common && !limiter_breaker_waits(&l->breaker, now_us)) {
        return;
    }
    size_t half = l->window.limit / 2;
    limiter_breaker_open(&l->breaker, BREAKER_THROTTLED, wait_us, now_us);
    bool is_reduced = call.shrinks == l->window.shrinks;
    limiter_window_restart(&l->window, 1, is_reduced && half > 0 ? half : l->window.threshold,
                           WINDOW_THROTTLED);
}

void limiter_unreachable(struct limiter *l, int64_t now_us)
{
    limiter_breaker_open(&l->breaker, BREAKER_UNREACHABLE, 0, now_us);
    limiter_window_restart(&l->window, 1, l->window.max, WINDOW_BREAKER);
}

void limiter_reopen(struct limiter *l)
{
    l->throttled = l->timed_out = 0;
    limiter_breaker_reset(&l->breaker);
    limiter_window_restart(&l->window, l->running + 1, l->window.max, WINDOW_REPLACED);
}

const char *limiter_reason_text(enum limiter_reason reason)
{
    static const char *const texts[LIMITER_REASONS] = {
        [LIMITER_ADMITS] = "none", [LIMITER_ENDPOINT] = "endpoint", [LIMITER_BREAKER] = "breaker",
        [LIMITER_RATE] = "rate",   [LIMITER_SHARED] = "limit",      [LIMITER_CONCURRENCY] = "concurrency",
    };
    return texts[reason];
}
