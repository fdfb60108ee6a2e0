#include "bridge/delivery/limiter_breaker.h"

void limiter_breaker_init(struct limiter_breaker *b, size_t failures_max, int64_t initial_us, int64_t max_us)
{
    *b = (struct limiter_breaker){.backoff = backoff_make(initial_us, max_us)};
    limiter_breaker_adjust(b, failures_max, initial_us, max_us);
}

void limiter_breaker_adjust(struct limiter_breaker *b, size_t failures_max, int64_t initial_us,
                            int64_t max_us)
{
    b->failures_max = failures_max < BREAKER_FAILURES_MAX ? failures_max : BREAKER_FAILURES_MAX;
    b->failure_count = b->failure_count < b->failures_max ? b->failure_count : b->failures_max;
    b->backoff.initial_us = initial_us;
    b->backoff.max_us = max_us;
    if (failures_max == 0 && b->state == BREAKER_FAILING) {
        limiter_breaker_reset(b);
    }
}

static int64_t wait_of(struct limiter_breaker *b, enum breaker_state why)
{
    int64_t wait_us = backoff_next_us(&b->backoff);
    bool is_long = why == BREAKER_FAILING && wait_us > BREAKER_WAIT_MAX_US;
    return is_long ? BREAKER_WAIT_MAX_US : wait_us;
}

void limiter_breaker_open(struct limiter_breaker *b, enum breaker_state why, int64_t wait_us, int64_t now_us)
{
    if (wait_us == 0 && limiter_breaker_waits(b, now_us)) {
        return;
    }
    int64_t until_us = now_us + (wait_us > 0 ? wait_us : wait_of(b, why));
    b->until_us = until_us > b->until_us ? until_us : b->until_us;
    b->state = why;
    b->generation++;
}

static void note_lane(struct limiter_breaker *b, uint64_t lane)
{
    for (size_t i = 0; i < b->failure_count; i++) {
        if (b->failed[i] == lane) {
            return;
        }
    }
    if (b->failure_count < b->failures_max) {
        b->failed[b->failure_count++] = lane;
    }
}

bool limiter_breaker_fail(struct limiter_breaker *b, uint64_t lane, int64_t now_us)
{
    if (b->failures_max == 0) {
        return false;
    }
    note_lane(b, lane);
    if (b->failure_count < b->failures_max) {
        return false;
    }
    limiter_breaker_open(b, BREAKER_FAILING, 0, now_us);
    return true;
}

void limiter_breaker_close(struct limiter_breaker *b)
{
    b->state = BREAKER_CLOSED;
    backoff_reset(&b->backoff);
}

void limiter_breaker_succeed(struct limiter_breaker *b)
{
    limiter_breaker_close(b);
    b->failure_count = 0;
}

void limiter_breaker_reset(struct limiter_breaker *b)
{
    limiter_breaker_succeed(b);
    b->until_us = 0;
    b->generation++;
}
