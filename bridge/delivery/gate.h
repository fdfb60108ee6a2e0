// How many calls of a function may run now. A throttled or unreachable endpoint closes the gate for all of
// them; it opens for one call first and wider with each success, so that a function that has just come back
// is not run over.
#ifndef BRIDGE_DELIVERY_GATE_H
#define BRIDGE_DELIVERY_GATE_H

#include "core/base/backoff.h"
#include <stdbool.h>
#include <stddef.h>

/** Plain data, embedded. */
struct gate {
    size_t limit;      // calls at once, now
    size_t limit_max;  // the function's concurrency
    int64_t open_us;   // closed before that
    struct backoff backoff;
};

void gate_init(struct gate *g, size_t concurrency, int64_t backoff_initial_us, int64_t backoff_max_us);

/** The function's file changed. */
void gate_adjust(struct gate *g, size_t concurrency, int64_t backoff_initial_us, int64_t backoff_max_us);

static inline bool gate_is_closed(const struct gate *g, int64_t now_us)
{
    return now_us < g->open_us;
}

/** Whether one more call may start beside `running`. */
static inline bool gate_admits(const struct gate *g, size_t running, int64_t now_us)
{
    return running < g->limit && !gate_is_closed(g, now_us);
}

/** The endpoint asked for a pause of `wait_us`, or (0) for one of our choosing. Returns when it opens again.
 */
int64_t gate_close(struct gate *g, int64_t wait_us, int64_t now_us);

/** Another endpoint took the place of the one that it was closed for: opens for one call beside those that
 * run. */
void gate_reopen(struct gate *g, size_t running);

/** The endpoint answered. */
static inline void gate_widen(struct gate *g)
{
    backoff_reset(&g->backoff);
    if (__builtin_expect(g->limit < g->limit_max, 0)) {
        g->limit = g->limit * 2 < g->limit_max ? g->limit * 2 : g->limit_max;
    }
}

#endif
