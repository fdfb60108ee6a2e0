#include "bridge/delivery/limiter_breaker.h"

#include "core/base/clock.h"

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
    wait_us = wait_us > 0 ? wait_us : wait_of(b, why);
    int64_t until_us = now_us + wait_us;
    b->until_us = until_us > b->until_us ? until_us : b->until_us;
    b->opened_us = b->state == BREAKER_CLOSED ? now_us : b->opened_us;
    b->state = why;
    b->next_unsent_us = b->next_retry_us = 0;
    b->generation++;
}

static void note_key(struct limiter_breaker *b, uint64_t key)
{
    for (size_t i = 0; i < b->failure_count; i++) {
        if (b->failed[i] == key) {
            return;
        }
    }
    if (b->failure_count < b->failures_max) {
        b->failed[b->failure_count++] = key;
    }
}

/** Between two probes with events that were never sent. */
static int64_t pace_of(const struct limiter_breaker *b)
{
    int64_t pace_us = BREAKER_GROWTH_US / (int64_t)b->probe_count;
    const int64_t min_us = CLOCK_US_PER_S / BREAKER_PROBES_PER_S;
    pace_us = pace_us < min_us ? min_us : pace_us;
    return pace_us < b->backoff.max_us ? pace_us : b->backoff.max_us;
}

/** Different keys failed in a row, or a probe failed. */
static void open_failing(struct limiter_breaker *b, int64_t now_us)
{
    bool is_probe = b->state == BREAKER_FAILING;
    if (limiter_breaker_waits(b, now_us)) {
        return;
    }
    if (!is_probe && now_us - b->recovered_us > BREAKER_MEMORY_US) {
        b->probe_count = 0;
    }
    b->probe_count = b->probe_count < b->failures_max ? b->failures_max : b->probe_count;
    b->wait_us = wait_of(b, BREAKER_FAILING);
    limiter_breaker_open(b, BREAKER_FAILING, is_probe ? b->wait_us : pace_of(b), now_us);
}

bool limiter_breaker_fail(struct limiter_breaker *b, uint64_t key, int64_t now_us)
{
    if (b->failures_max == 0) {
        return false;
    }
    note_key(b, key);
    if (b->failure_count < b->failures_max) {
        return false;
    }
    open_failing(b, now_us);
    return true;
}

size_t limiter_breaker_fail_unsent(struct limiter_breaker *b)
{
    b->probe_count++;
    b->wait_us = wait_of(b, BREAKER_FAILING);
    return 1 + b->probe_count / BREAKER_PROBES_A_CALL;
}

int64_t limiter_breaker_next_us(const struct limiter_breaker *b, bool is_unsent)
{
    if (b->state != BREAKER_FAILING) {
        return b->until_us;
    }
    int64_t next_us = is_unsent ? b->next_unsent_us : b->next_retry_us;
    return next_us > b->until_us ? next_us : b->until_us;
}

void limiter_breaker_begin(struct limiter_breaker *b, int64_t now_us)
{
    if (b->state == BREAKER_FAILING) {
        b->next_unsent_us = now_us + pace_of(b);
        b->next_retry_us = now_us + b->wait_us;
    }
}

void limiter_breaker_close(struct limiter_breaker *b)
{
    b->state = BREAKER_CLOSED;
    backoff_reset(&b->backoff);
}

void limiter_breaker_succeed(struct limiter_breaker *b, int64_t now_us)
{
    b->recovered_us = b->state == BREAKER_FAILING ? now_us : b->recovered_us;
    limiter_breaker_close(b);
    b->failure_count = 0;
}

void limiter_breaker_reset(struct limiter_breaker *b)
{
    limiter_breaker_close(b);
    b->failure_count = b->probe_count = 0;
    b->until_us = 0;
    b->generation++;
}

const char *limiter_breaker_state_text(enum breaker_state state)
{
    static const char *const texts[] = {
        [BREAKER_CLOSED] = "closed",
        [BREAKER_THROTTLED] = "throttled",
        [BREAKER_UNREACHABLE] = "unreachable",
        [BREAKER_FAILING] = "failing",
    };
    return texts[state];
}
