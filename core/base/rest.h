// Gives memory back to the system when the process comes to rest after work: glibc keeps what was freed.
#ifndef CORE_BASE_REST_H
#define CORE_BASE_REST_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** When to give back, from the processor time used so far; apart from the rest so that it can be tested. */
struct rest_judge {
    int64_t seen_us;   // processor time at the last look
    int64_t given_us;  // and when memory was last given back
};

/** Called once a second with the process's processor time: true when it has worked since the last true and is
 * idle now. */
bool rest_is_due(struct rest_judge *judge, int64_t cpu_us);

/** Looks once a second; does not keep the loop alive. */
struct rest {
    uv_timer_t timer;
    struct rest_judge judge;
};
void rest_start(struct rest *r, uv_loop_t *loop);
void rest_stop(struct rest *r);

#endif
