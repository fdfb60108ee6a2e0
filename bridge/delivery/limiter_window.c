#include "bridge/delivery/limiter_window.h"

void limiter_window_init(struct limiter_window *w, size_t max)
{
    *w = (struct limiter_window){.limit = max, .max = max, .threshold = max};
}

void limiter_window_adjust(struct limiter_window *w, size_t max)
{
    w->limit = w->limit == w->max || w->limit > max ? max : w->limit;
    w->threshold = w->threshold == w->max || w->threshold > max ? max : w->threshold;
    w->max = max;
}

void limiter_window_grow(struct limiter_window *w)
{
    if (w->limit >= w->max) {
        return;
    }
    if (w->limit < w->threshold) {
        w->limit = w->limit * 2 < w->threshold ? w->limit * 2 : w->threshold;
        return;
    }
    if (++w->responses >= w->limit) {
        w->responses = 0;
        w->limit++;
    }
}

static size_t half_of(size_t limit)
{
    return limit / 2 > 0 ? limit / 2 : 1;
}

void limiter_window_shrink(struct limiter_window *w)
{
    limiter_window_restart(w, half_of(w->limit), half_of(w->limit));
}

void limiter_window_restart(struct limiter_window *w, size_t limit, size_t threshold)
{
    w->limit = limit < w->max ? limit : w->max;
    w->threshold = threshold < w->max ? threshold : w->max;
    w->responses = 0;
    w->shrinks++;
}
