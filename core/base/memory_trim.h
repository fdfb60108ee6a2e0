// Returns freed memory to the system when the process becomes idle after work: glibc keeps it otherwise.
#ifndef CORE_BASE_MEMORY_TRIM_H
#define CORE_BASE_MEMORY_TRIM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** Processor time of the process, in microseconds; zero-initialised at the start. */
struct memory_trim_usage {
    int64_t last_us;     // at the last call
    int64_t trimmed_us;  // when memory was last returned
};

/** To be called once a second: true when the process is idle and has worked since the last true. */
bool memory_trim_is_due(struct memory_trim_usage *usage, int64_t cpu_us);

/** A timer of one second that calls malloc_trim when that is due; does not keep the loop alive. */
struct memory_trim {
    uv_timer_t timer;
    struct memory_trim_usage usage;
};
void memory_trim_start(struct memory_trim *t, uv_loop_t *loop);
void memory_trim_stop(struct memory_trim *t);

#endif
