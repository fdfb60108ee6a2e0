// A rate limit: the generic cell rate algorithm (a token bucket that keeps one number). In any time t at most
// burst + rate * t calls begin.
#ifndef BRIDGE_DELIVERY_LIMITER_RATE_H
#define BRIDGE_DELIVERY_LIMITER_RATE_H

#include "core/config/config_rate.h"

/** Plain data, embedded. Zero-initialised: no limit. */
struct limiter_rate {
    int64_t interval_ns;   // between calls at the rate; 0: no limit
    int64_t tolerance_ns;  // how much earlier a call may begin: the burst
    int64_t next_ns;       // the theoretical arrival time of the next call
};

/** Sets the limit; a burst that is used up stays used up. */
void limiter_rate_set(struct limiter_rate *r, const struct config_rate *rate, int64_t burst, int64_t now_us);

/** When the next call may begin: `now_us`, or later. */
int64_t limiter_rate_next_us(const struct limiter_rate *r, int64_t now_us);

/** A call begins. */
void limiter_rate_take(struct limiter_rate *r, int64_t now_us);

#endif
