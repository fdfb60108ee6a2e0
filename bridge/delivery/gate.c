#include "bridge/delivery/gate.h"

void gate_init(struct gate *g, size_t concurrency, int64_t backoff_initial_us, int64_t backoff_max_us)
{
    *g = (struct gate){.limit = concurrency,
                       .limit_max = concurrency,
                       .backoff = backoff_make(backoff_initial_us, backoff_max_us)};
}

void gate_adjust(struct gate *g, size_t concurrency, int64_t backoff_initial_us, int64_t backoff_max_us)
{
    bool is_wide = g->limit == g->limit_max;
    g->limit_max = concurrency;
    g->limit = is_wide || g->limit > concurrency ? concurrency : g->limit;
    g->backoff.initial_us = backoff_initial_us;
    g->backoff.max_us = backoff_max_us;
}

void gate_reopen(struct gate *g, size_t running)
{
    g->open_us = 0;
    g->limit = running < g->limit_max ? running + 1 : g->limit_max;
    backoff_reset(&g->backoff);
}

int64_t gate_close(struct gate *g, int64_t wait_us, int64_t now_us)
{
    // Calls that were under way when the gate closed say the same thing again: they count as one.
    if (wait_us == 0 && gate_is_closed(g, now_us)) {
        return g->open_us;
    }
    int64_t open_us = now_us + (wait_us > 0 ? wait_us : backoff_next_us(&g->backoff));
    g->open_us = open_us > g->open_us ? open_us : g->open_us;
    g->limit = 1;
    return g->open_us;
}
