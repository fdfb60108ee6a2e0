#include "bridge/delivery/limiter.h"

void limiter_init(struct limiter *l, size_t concurrency, int64_t backoff_initial_us, int64_t backoff_max_us)
{
    *l = (struct limiter){.limit = concurrency,
                          .limit_max = concurrency,
                          .backoff = backoff_make(backoff_initial_us, backoff_max_us)};
}

void limiter_adjust(struct limiter *l, size_t concurrency, int64_t backoff_initial_us, int64_t backoff_max_us)
{
    bool is_wide = l->limit == l->limit_max;
    l->limit_max = concurrency;
    l->limit = is_wide || l->limit > concurrency ? concurrency : l->limit;
    l->backoff.initial_us = backoff_initial_us;
    l->backoff.max_us = backoff_max_us;
}

void limiter_reopen(struct limiter *l, size_t running)
{
    l->open_us = 0;
    l->limit = running < l->limit_max ? running + 1 : l->limit_max;
    l->generation++;
    l->throttled = 0;
    backoff_reset(&l->backoff);
}

int64_t limiter_close(struct limiter *l, int64_t wait_us, int64_t now_us)
{
    // Failures of calls that were running when it closed count as one.
    if (wait_us == 0 && limiter_is_closed(l, now_us)) {
        return l->open_us;
    }
    int64_t open_us = now_us + (wait_us > 0 ? wait_us : backoff_next_us(&l->backoff));
    l->open_us = open_us > l->open_us ? open_us : l->open_us;
    l->limit = 1;
    l->generation++;
    return l->open_us;
}

bool limiter_throttle(struct limiter *l, uint64_t invocation, int64_t wait_us, int64_t now_us)
{
    bool is_second = l->throttled != 0 && l->throttled != invocation;
    l->throttled = invocation;
    if (is_second || limiter_is_closed(l, now_us)) {
        (void)limiter_close(l, wait_us, now_us);
    }
    return limiter_is_closed(l, now_us);
}
