// When a function's next call may begin: a chain of limits, asked in this order. The first that refuses says
// when to ask again.
//
//   breaker      the endpoint is unreachable, asked for a pause, or fails as a whole (limiter_breaker.h)
//   concurrency  calls side by side, fewer while the endpoint is overloaded (limiter_window.h)
//   rate         calls a second, minute or hour (limiter_rate.h)
//   shared       a limit that several functions share (shared_limit.h)
//
// While one key alone is throttled nothing changes, because an endpoint may throttle a single tenant: only
// its events wait. Events of two different keys that are throttled in a row open the breaker for the time
// that the endpoint asks for, and halve the concurrency. Two that time out in a row halve it, too. With a
// target latency, calls that take longer reduce it as well.
#ifndef BRIDGE_DELIVERY_LIMITER_H
#define BRIDGE_DELIVERY_LIMITER_H

#include "bridge/delivery/limiter_breaker.h"
#include "bridge/delivery/limiter_rate.h"
#include "bridge/delivery/limiter_window.h"
#include "bridge/delivery/shared_limit.h"

enum limiter_reason {
    LIMITER_ADMITS,
    LIMITER_ENDPOINT,  // it asked for a pause, or recovers from one
    LIMITER_BREAKER,   // unreachable or failing
    LIMITER_CONCURRENCY,
    LIMITER_RATE,
    LIMITER_SHARED,
    LIMITER_REASONS,  // how many
};

/** Plain data, embedded. */
struct limiter {
    struct limiter_breaker breaker;
    struct limiter_window window;
    struct limiter_rate rate;
    struct shared_member shared;
    size_t running;
    uint64_t throttled;    // the last throttled key, if no other response came since; 0: none
    uint64_t timed_out;    // the last key that timed out, likewise
    int64_t succeeded_us;  // the last success
};

struct limiter_settings {
    size_t concurrency;
    int64_t target_latency_us;  // 0: none
    size_t breaker_failures;    // 0: only an unreachable endpoint opens the breaker
    int64_t backoff_initial_us;
    int64_t backoff_max_us;
    struct config_rate rate;
    int64_t burst;
};

void limiter_init(struct limiter *l, const struct limiter_settings *s, int64_t now_us);

/** The function's file changed. */
void limiter_adjust(struct limiter *l, const struct limiter_settings *s, int64_t now_us);

#define LIMITER_WHEN_CALLED (-1)

struct limiter_verdict {
    enum limiter_reason reason;
    int64_t at_us;  // ask again then; LIMITER_WHEN_CALLED: when a call ends or the shared limit's turn comes
};

/** Whether one more call may begin, with an event that was never sent or with another one. */
struct limiter_verdict limiter_admits(const struct limiter *l, bool is_unsent, int64_t now_us);

/** What a response needs to know of its call's beginning. */
struct limiter_call {
    uint32_t generation;
    uint32_t shrinks;
    int64_t begun_us;
};

/** An admitted call begins, and ends. */
struct limiter_call limiter_begin(struct limiter *l, int64_t now_us);
void limiter_end(struct limiter *l);

/** What a call began with. */
struct limiter_subject {
    uint64_t key;      // a number of the event's key, not 0
    int64_t tried_us;  // when the event was sent first; 0: by this call
};

/** The endpoint handled a call, or refused its events for good. */
void limiter_succeed(struct limiter *l, struct limiter_call call, int64_t now_us);

enum limiter_failure {
    LIMITER_FAILED,  // the endpoint responded
    LIMITER_LOST,    // the connection was lost
    LIMITER_TIMED_OUT,
};

/** It failed and may succeed when it is sent again. */
void limiter_fail(struct limiter *l, struct limiter_call call, struct limiter_subject subject,
                  enum limiter_failure how, int64_t now_us);

/** It was throttled. `wait_us` is what the endpoint asked for, or 0. */
void limiter_throttle(struct limiter *l, struct limiter_call call, struct limiter_subject subject,
                      int64_t wait_us, int64_t now_us);

/** No connection. */
void limiter_unreachable(struct limiter *l, int64_t now_us);

/** The endpoint was replaced: admits one call beside the running ones, then more with each response. */
void limiter_reopen(struct limiter *l);

/** Whether the breaker is open or lets one call probe the endpoint. */
static inline bool limiter_is_open(const struct limiter *l)
{
    return l->breaker.state != BREAKER_CLOSED;
}

/** "rate", "concurrency", "breaker", "endpoint", "limit". */
const char *limiter_reason_text(enum limiter_reason reason);

#endif
