// Exponential backoff with full jitter: the wait before attempt n is uniform in [0, min(max, initial * 2^n)].
// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. backoff_next_us also caps the wait
// at the time since the first failure, because attempts that fail immediately would reach `max` within
// seconds.
#ifndef CORE_BASE_BACKOFF_H
#define CORE_BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t initial_us;
    int64_t max_us;
    uint32_t failures;  // consecutive; backoff_reset after a success
    int64_t since_us;   // monotonic; when the first of these failures happened
    uint64_t random;    // state of the generator; not 0
};

struct backoff backoff_make(int64_t initial_us, int64_t max_us);

/** Counts one more failure and returns the wait before the next attempt, in microseconds, at least 1 ms. */
int64_t backoff_next_us(struct backoff *b);

/** The wait after `failures` earlier waits (0 for the first), for a caller that counts itself; at least 1 ms.
 */
int64_t backoff_wait_us(struct backoff *b, uint32_t failures);

static inline void backoff_reset(struct backoff *b)
{
    b->failures = 0;
}

#endif
