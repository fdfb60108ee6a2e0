// Time in microseconds: monotonic for durations, wall clock for timestamps. Tests replace both.
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_US_PER_MS INT64_C(1000)
#define CLOCK_US_PER_S INT64_C(1000000)
#define CLOCK_POSTGRES_EPOCH_US INT64_C(946684800000000)  // 2000-01-01 in Unix microseconds

/** Monotonic microseconds since an unknown point; never goes back. */
int64_t clock_now_us(void);

/** As clock_now_us, and counts the time that the machine was suspended (CLOCK_BOOTTIME). */
int64_t clock_boot_us(void);

/** Wall-clock microseconds since 1970-01-01 UTC; may go back. */
int64_t clock_wall_us(void);

/** Wall-clock nanoseconds since 1970-01-01 UTC. */
int64_t clock_wall_ns(void);

/** Tests only: stops both clocks at these values; a negative `now_us` restores real time. */
void clock_fake(int64_t now_us, int64_t wall_us);

#endif
