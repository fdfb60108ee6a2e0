// The circuit breaker of a function: no call begins for a while after the endpoint could not be reached,
// asked for a pause, or failed many keys in a row. Then calls probe it. A success closes the breaker.
//
// A probe is an event that was never sent, if there is one, else whatever is next. When it fails, the next
// probe is another event, because the failed one waits for its retry: one event can't keep the breaker open.
//
// An endpoint that responds to every key with an error is either down, or thousands of keys that it can't
// handle stand before the others. What tells these apart is a key that was never sent. So the more of these
// have failed, the sooner the next one is sent: the rate grows in proportion to their number, up to
// BREAKER_PROBES_PER_S. An event that has failed before is sent after the backoff alone.
//
// Nor does it open for an event that failed before the last success: that its endpoint works is known.
#ifndef BRIDGE_DELIVERY_LIMITER_BREAKER_H
#define BRIDGE_DELIVERY_LIMITER_BREAKER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/backoff.h"

enum {
    BREAKER_FAILURES_MAX = 100,
    BREAKER_WAIT_MAX_US = 5 * 1000000,  // between probes of an endpoint that responds
    BREAKER_PROBES_PER_S = 100,         // with events that were never sent
    BREAKER_GROWTH_US = 5 * 1000000,    // in which the number of these probes grows e-fold
    BREAKER_PROBES_A_CALL = 64,         // as many failures allow one more call side by side
    BREAKER_MEMORY_US = 60 * 1000000,   // opened again sooner, it goes on at the rate that it had
};

enum breaker_state {
    BREAKER_CLOSED,       // calls run
    BREAKER_THROTTLED,    // the endpoint asked for a pause
    BREAKER_UNREACHABLE,  // no connection
    BREAKER_FAILING,      // it failed different keys in a row
};

/** Plain data, embedded. */
struct limiter_breaker {
    enum breaker_state state;  // until a call of the present generation succeeds
    int64_t until_us;          // no call begins before
    int64_t next_unsent_us;    // BREAKER_FAILING: nor one with an event that was never sent
    int64_t next_retry_us;     // BREAKER_FAILING: nor one with another event
    int64_t wait_us;           // BREAKER_FAILING: between two probes with events that were sent before
    int64_t opened_us;         // not BREAKER_CLOSED: since when
    int64_t recovered_us;      // when a success ended BREAKER_FAILING
    size_t probe_count;        // failures of different keys, and of the probes since
    uint32_t generation;       // counts openings: responses to calls that began before the last are ignored
    struct backoff backoff;
    size_t failures_max;   // keys in a row that open it; 0: failures never do
    size_t failure_count;  // distinct keys that failed since the last success
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

/** A call of this key failed, but not because of the endpoint's limits. Returns whether that opened it. */
bool limiter_breaker_fail(struct limiter_breaker *b, uint64_t key, int64_t now_us);

/** The endpoint responded with an error to a probe that was never sent before. Returns how many calls may
 * probe it side by side. */
size_t limiter_breaker_fail_unsent(struct limiter_breaker *b);

/** When the next probe may begin, with an event that was never sent or with another one. */
int64_t limiter_breaker_next_us(const struct limiter_breaker *b, bool is_unsent);

/** A call begins. */
void limiter_breaker_begin(struct limiter_breaker *b, int64_t now_us);

/** Closes it; the keys that failed in a row still count. */
void limiter_breaker_close(struct limiter_breaker *b);

/** A call succeeded: closes it. */
void limiter_breaker_succeed(struct limiter_breaker *b, int64_t now_us);

/** The endpoint was replaced: closes it. */
void limiter_breaker_reset(struct limiter_breaker *b);

/** "closed", "throttled", "unreachable", "failing". */
const char *limiter_breaker_state_text(enum breaker_state state);

#endif
