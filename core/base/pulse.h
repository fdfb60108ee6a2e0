// Notices that this process stood still: it was stopped or swapped out, or the machine was suspended. Peers
// may have timed it out meanwhile.
#ifndef CORE_BASE_PULSE_H
#define CORE_BASE_PULSE_H

#include <stdbool.h>
#include <stdint.h>

/** Plain data, embedded. */
struct pulse {
    int64_t limit_us;
    int64_t seen_us;  // the last beat
};

/** pulse_beat is to be called at least twice within the limit, so that only a standstill exceeds it. */
void pulse_init(struct pulse *p, int64_t limit_us, int64_t now_us);

/** False: the last beat was `limit_us` or longer ago; `ret_gap_us` (unless NULL) says how long. */
bool pulse_beat(struct pulse *p, int64_t now_us, int64_t *ret_gap_us);

#endif
