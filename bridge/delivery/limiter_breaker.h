// The circuit breaker of a function: no call begins for a while after the endpoint could not be reached,
// asked for a pause, or failed many lanes in a row. Then one call probes it. A success closes the breaker.
//
// A probe is whatever event is next. When it fails, the next probe is the event of another lane, because the
// failed one waits for its retry: one event that always fails can't keep the breaker open.
#ifndef BRIDGE_DELIVERY_LIMITER_BREAKER_H
#define BRIDGE_DELIVERY_LIMITER_BREAKER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/backoff.h"

enum {
    BREAKER_FAILURES_MAX = 100,
    BREAKER_WAIT_MAX_US = 5 * 1000000,  // between probes of an endpoint that responds
};

enum breaker_state {
    BREAKER_CLOSED,       // calls run
    BREAKER_THROTTLED,    // the endpoint asked for a pause
    BREAKER_UNREACHABLE,  // no connection
    BREAKER_FAILING,      // it failed different lanes in a row
};

/** Plain data, embedded. */
struct limiter_breaker {
    enum breaker_state state;  // until a call of the present generation succeeds
    int64_t until_us;          // no call begins before
    uint32_t generation;       // counts openings: responses to calls that began before the last are ignored
    struct backoff backoff;
    size_t failures_max;   // lanes in a row that open it; 0: failures never do
    size_t failure_count;  // distinct lanes that failed since the last success
    uint64_t failed[BREAKER_FAILURES_MAX];
};

void limiter_breaker_init(struct limiter_breaker *b, size_t failures_max, int64_t initial_us, int64_t max_us);

/** The function's file changed. */
void limiter_breaker_adjust(struct limiter_breaker *b, size_t failures_max, int64_t initial_us,
                            int64_t max_us);

static inline bool limiter_breaker_waits(const struct limiter_breaker *b, int64_t now_us)
{
    return now_us < b->until_us;
}

/**
 * Opens it, for `wait_us` or (0) for a backoff. Failures of calls that were running when it opened count as
 * one; a longer wait that the endpoint asks for is accepted.
 */
void limiter_breaker_open(struct limiter_breaker *b, enum breaker_state why, int64_t wait_us, int64_t now_us);

/** A call of this lane failed, but not because of the endpoint's limits. Returns whether that opened it. */
bool limiter_breaker_fail(struct limiter_breaker *b, uint64_t lane, int64_t now_us);

/** Closes it; the lanes that failed in a row still count. */
void limiter_breaker_close(struct limiter_breaker *b);

/** A call succeeded: closes it. */
void limiter_breaker_succeed(struct limiter_breaker *b);

/** The endpoint was replaced: closes it. */
void limiter_breaker_reset(struct limiter_breaker *b);

#endif
