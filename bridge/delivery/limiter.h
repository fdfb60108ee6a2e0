// How many calls of a function may run now. An endpoint that can't be reached, or that throttles two calls in
// a row, is left alone for a while; then one call may run, and twice as many after each response, so that a
// function that has just come back is not run over.
//
// One throttled call says nothing about the others: an endpoint may throttle a single tenant. Its event waits
// by itself.
#ifndef BRIDGE_DELIVERY_LIMITER_H
#define BRIDGE_DELIVERY_LIMITER_H

#include "core/base/backoff.h"
#include <stdbool.h>
#include <stddef.h>

/** Plain data, embedded. */
struct limiter {
    size_t limit;      // calls at once, now
    size_t limit_max;  // the function's concurrency
    int64_t open_us;   // closed before that
    uint32_t
        generation;      // of its closings: a call that began before one says nothing about the time after it
    uint64_t throttled;  // the invocation throttled last, when nothing else was answered since; 0: none
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

/** Closes for `wait_us`, or (0) for a time of its own choosing. Returns when it opens again. */
int64_t limiter_close(struct limiter *l, int64_t wait_us, int64_t now_us);

/**
 * A call was throttled, for `wait_us` if the endpoint said so (else 0). Closes when the call throttled before
 * it was another invocation's and nothing else was answered in between, or when it is closed already.
 *
 * @param invocation  a number of its own, not 0
 * @return            whether it is closed now
 */
bool limiter_throttle(struct limiter *l, uint64_t invocation, int64_t wait_us, int64_t now_us);

/** Another endpoint took the place of the one that it was closed for: opens for one call beside those that
 * run. */
void limiter_reopen(struct limiter *l, size_t running);

/** The endpoint responded to a call that began in this generation. */
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
