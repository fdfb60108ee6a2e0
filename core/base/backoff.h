// Exponential backoff with full jitter: the wait before attempt n is uniform in [0, min(max, initial * 2^n)].
// After "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. No wait is longer than the trouble has
// lasted: attempts that fail at once would else double it within seconds.
#ifndef CORE_BASE_BACKOFF_H
#define CORE_BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t initial_us;
    int64_t max_us;
    uint32_t failures;  // consecutive; backoff_reset after a success
    int64_t since_us;   // of the first of them
    uint64_t random;    // state of the generator; any seed
};

struct backoff backoff_make(int64_t initial_us, int64_t max_us);

/** The wait before the next attempt, in microseconds, at least 1 ms; counts one more failure. */
int64_t backoff_next_us(struct backoff *b);

/** The same for a caller that keeps its own count of failures (0 for the first wait). */
int64_t backoff_wait_us(struct backoff *b, uint32_t failures);

static inline void backoff_reset(struct backoff *b)
{
    b->failures = 0;
}

#endif
