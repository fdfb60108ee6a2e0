// How many calls may run side by side: additive increase, multiplicative decrease (AIMD). After a pause it
// begins with one and doubles with each response up to a threshold, so that an endpoint that has just
// recovered is not overloaded.
#ifndef BRIDGE_DELIVERY_LIMITER_WINDOW_H
#define BRIDGE_DELIVERY_LIMITER_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/** Plain data, embedded. */
struct limiter_window {
    size_t limit;      // concurrent calls, now
    size_t max;        // the function's concurrency
    size_t threshold;  // below it the limit doubles with each response, above it grows by one a round
    size_t responses;  // of the present round
    uint32_t shrinks;  // counts decreases: calls that began before the last one cause no other
};

void limiter_window_init(struct limiter_window *w, size_t max);

/** The function's file changed. */
void limiter_window_adjust(struct limiter_window *w, size_t max);

/** A call succeeded. */
void limiter_window_grow(struct limiter_window *w);

/** Halves the limit. */
void limiter_window_shrink(struct limiter_window *w);

/** Begins with `limit` again and doubles up to the threshold. */
void limiter_window_restart(struct limiter_window *w, size_t limit, size_t threshold);

#endif
