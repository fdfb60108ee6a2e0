// How many calls may run side by side: additive increase, multiplicative decrease (AIMD). After a pause it
// begins with one and doubles with each response up to a threshold, so that an endpoint that has just
// recovered is not overloaded.
//
// With a target latency, the responses are counted in rounds, each of as many as calls ran at once, at least
// WINDOW_ROUND_MIN. When most calls of a round took longer than the target, the limit becomes nine tenths of
// the calls that ran at once, or half of them if most took twice as long. When not, and all of the limit was
// used, it grows by one. "Most" (the median) leaves out what a few slow events take.
#ifndef BRIDGE_DELIVERY_LIMITER_WINDOW_H
#define BRIDGE_DELIVERY_LIMITER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WINDOW_ROUND_MIN = 10 };

/** Why fewer calls may run than the function's concurrency. */
enum window_cause {
    WINDOW_NOT_REDUCED,
    WINDOW_THROTTLED,
    WINDOW_TIMED_OUT,
    WINDOW_LATENCY,   // calls took longer than the target
    WINDOW_BREAKER,   // unreachable or failing
    WINDOW_REPLACED,  // the endpoint is a new one
    WINDOW_CAUSES,    // how many
};

/** Plain data, embedded. */
struct limiter_window {
    size_t limit;      // concurrent calls, now
    size_t max;        // the function's concurrency
    size_t threshold;  // below it the limit doubles with each response, above it grows by one a round
    size_t responses;  // of the present round
    size_t slow;       // of these, the ones that took longer than the target
    size_t very_slow;  // and twice as long
    size_t running;
    size_t running_max;       // in this round
    int64_t target_us;        // 0: latency changes nothing
    uint32_t shrinks;         // counts decreases: calls that began before the last one cause no other
    enum window_cause cause;  // of the last decrease, while the limit is below max
    uint64_t shrinks_by[WINDOW_CAUSES];  // since they were added to the metrics
    bool is_missed;                      // even one call at a time takes longer than the target
};

void limiter_window_init(struct limiter_window *w, size_t max, int64_t target_us);

/** The function's file changed. */
void limiter_window_adjust(struct limiter_window *w, size_t max, int64_t target_us);

/** How many calls are running now. */
static inline void limiter_window_note_running(struct limiter_window *w, size_t running)
{
    w->running = running;
    w->running_max = running > w->running_max ? running : w->running_max;
}

// Outcomes of calls that began after the last decrease:

/** A call succeeded. */
void limiter_window_succeed(struct limiter_window *w, int64_t took_us);

/** A call got a response that is an error. A fast one says nothing about latency. */
void limiter_window_fail(struct limiter_window *w, int64_t took_us);

/** A call timed out, as no call of another event did just before. */
void limiter_window_time_out(struct limiter_window *w);

/** Raises the limit to this. */
void limiter_window_raise(struct limiter_window *w, size_t limit);

/** Halves the limit. */
void limiter_window_shrink(struct limiter_window *w, enum window_cause cause);

/** Begins with `limit` again and doubles up to the threshold. */
void limiter_window_restart(struct limiter_window *w, size_t limit, size_t threshold,
                            enum window_cause cause);

/** "none", "throttle", "timeout", "latency", "breaker", "new_endpoint". */
const char *limiter_window_cause_text(enum window_cause cause);

#endif
