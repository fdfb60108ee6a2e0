#include "bridge/delivery/limiter_rate.h"

#define NS_PER_US INT64_C(1000)

void limiter_rate_set(struct limiter_rate *r, const struct config_rate *rate, int64_t burst, int64_t now_us)
{
    if (rate->count == 0) {
        *r = (struct limiter_rate){0};
        return;
    }
    r->interval_ns = (rate->period_us * NS_PER_US + rate->count - 1) / rate->count;
    r->tolerance_ns = r->interval_ns * (burst - 1);
    // A slower rate that was set before must not hold calls back for longer than the new one would.
    int64_t latest_ns = now_us * NS_PER_US + r->tolerance_ns + r->interval_ns;
    r->next_ns = r->next_ns > latest_ns ? latest_ns : r->next_ns;
}

int64_t limiter_rate_next_us(const struct limiter_rate *r, int64_t now_us)
{
    if (r->interval_ns == 0) {
        return now_us;
    }
    int64_t earliest_ns = r->next_ns - r->tolerance_ns;
    return earliest_ns <= now_us * NS_PER_US ? now_us : (earliest_ns + NS_PER_US - 1) / NS_PER_US;
}

void limiter_rate_take(struct limiter_rate *r, int64_t now_us)
{
    int64_t now_ns = now_us * NS_PER_US;
    r->next_ns = (r->next_ns > now_ns ? r->next_ns : now_ns) + r->interval_ns;
}
