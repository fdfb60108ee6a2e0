// How many calls of a function may run now. When the endpoint is unreachable or throttles two invocations in
// a row, the limiter closes for a while. Then it admits one call, and twice as many after each response, so
// that an endpoint that has just recovered is not overloaded.
//
// After a single throttled call the limiter stays open, because an endpoint may throttle a single tenant.
// Only that invocation waits.
#ifndef BRIDGE_DELIVERY_LIMITER_H
#define BRIDGE_DELIVERY_LIMITER_H

#include "core/base/backoff.h"
#include <stdbool.h>
#include <stddef.h>

/** Plain data, embedded. */
struct limiter {
    size_t limit;         // concurrent calls, now
    size_t limit_max;     // the function's concurrency
    int64_t open_us;      // it is closed before this time
    uint32_t generation;  // counts closings: responses to calls that began before the last one are ignored
    uint64_t throttled;   // the last throttled invocation, if no other response came since; 0: none
    struct backoff backoff;
};

void limiter_init(struct limiter *l, size_t concurrency, int64_t backoff_initial_us, int64_t backoff_max_us);

/** The function's file changed. */
void limiter_adjust(struct limiter *l, size_t concurrency, int64_t backoff_initial_us,
                    int64_t backoff_max_us);

static inline bool limiter_is_closed(const struct limiter *l, int64_t now_us)
{
    return now_us < l->open_us;
}

/** Whether one more call may start beside `running`. */
static inline bool limiter_admits(const struct limiter *l, size_t running, int64_t now_us)
{
    return running < l->limit && !limiter_is_closed(l, now_us);
}

/** Closes for `wait_us`, or (0) for a backoff. Returns when it opens again. */
int64_t limiter_close(struct limiter *l, int64_t wait_us, int64_t now_us);

/**
 * Notes a throttled call; `wait_us` is what the endpoint asked for, or 0. Closes if the response before this
 * one throttled another invocation, or if the limiter is closed already.
 *
 * @param invocation  its number, not 0
 * @return            whether it is closed now
 */
bool limiter_throttle(struct limiter *l, uint64_t invocation, int64_t wait_us, int64_t now_us);

/** The endpoint was replaced: opens for one call beside the running ones. */
void limiter_reopen(struct limiter *l, size_t running);

/** Notes a response; doubles the limit if the call began in the current generation. */
static inline void limiter_widen(struct limiter *l, uint32_t generation)
{
    l->throttled = 0;
    if (generation != l->generation) {
        return;
    }
    backoff_reset(&l->backoff);
    if (__builtin_expect(l->limit < l->limit_max, 0)) {
        l->limit = l->limit * 2 < l->limit_max ? l->limit * 2 : l->limit_max;
    }
}

#endif
