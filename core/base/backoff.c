#include "core/base/backoff.h"

#include <unistd.h>

#include "core/base/clock.h"

struct backoff backoff_make(int64_t initial_us, int64_t max_us)
{
    uint64_t seed = (uint64_t)clock_wall_ns() ^ ((uint64_t)getpid() << 32);
    return (struct backoff){.initial_us = initial_us, .max_us = max_us, .random = seed | 1};
}

// xorshift64*: random enough for spreading waits, and without the lock of random(3).
static uint64_t next_random(struct backoff *b)
{
    uint64_t x = b->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    b->random = x;
    return x * UINT64_C(2685821657736338717);
}

static int64_t ceiling_of(const struct backoff *b, uint32_t failures)
{
    int64_t ceiling = b->initial_us;
    for (uint32_t i = 0; i < failures && ceiling < b->max_us; i++) {
        ceiling *= 2;
    }
    return ceiling > b->max_us ? b->max_us : ceiling;
}

static int64_t wait_below(struct backoff *b, int64_t ceiling)
{
    int64_t wait = ceiling <= 0 ? 0 : (int64_t)(next_random(b) % (uint64_t)ceiling);
    return wait < CLOCK_US_PER_MS ? CLOCK_US_PER_MS : wait;
}

int64_t backoff_wait_us(struct backoff *b, uint32_t failures)
{
    return wait_below(b, ceiling_of(b, failures));
}

int64_t backoff_next_us(struct backoff *b)
{
    int64_t now_us = clock_now_us();
    b->since_us = b->failures == 0 ? now_us : b->since_us;
    int64_t lasted_us = now_us - b->since_us;
    int64_t longest_us = lasted_us > b->initial_us ? lasted_us : b->initial_us;
    int64_t ceiling = ceiling_of(b, b->failures);
    if (b->failures < UINT32_MAX) {
        b->failures++;
    }
    return wait_below(b, ceiling < longest_us ? ceiling : longest_us);
}
