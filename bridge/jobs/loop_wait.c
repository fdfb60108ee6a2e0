// uv_run(UV_RUN_ONCE) runs the timers that are due and then polls, whatever they have brought: without a look
// in between, an answer that a timer delivers would be noticed only when something else wakes the loop.
#include "bridge/jobs/loop_wait.h"

struct wait {
    uv_timer_t timer;
    uv_prepare_t before_poll;
    bool (*is_over)(void *self);
    void *self;
    bool is_done;
    bool is_late;
    int open_handles;
};

/** Stays true once it is. */
static bool is_done(struct wait *w)
{
    w->is_done = w->is_done || w->is_over(w->self);
    return w->is_done;
}

static void on_late(uv_timer_t *timer)
{
    ((struct wait *)timer->data)->is_late = true;
}

static void on_before_poll(uv_prepare_t *prepare)
{
    struct wait *w = prepare->data;
    if (is_done(w) || w->is_late) {
        uv_stop(prepare->loop);  // the poll returns at once, and so does uv_run
    }
}

static void on_closed(uv_handle_t *handle)
{
    ((struct wait *)handle->data)->open_handles--;
}

bool loop_wait(uv_loop_t *loop, uint64_t wait_ms, bool (*is_over)(void *self), void *self)
{
    struct wait w = {.is_over = is_over, .self = self, .open_handles = 2};
    if (is_done(&w)) {
        return true;
    }
    (void)uv_timer_init(loop, &w.timer);
    (void)uv_prepare_init(loop, &w.before_poll);
    w.timer.data = w.before_poll.data = &w;
    (void)uv_timer_start(&w.timer, on_late, wait_ms, 0);
    (void)uv_prepare_start(&w.before_poll, on_before_poll);
    while (!is_done(&w) && !w.is_late) {
        (void)uv_run(loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&w.timer, on_closed);
    uv_close((uv_handle_t *)&w.before_poll, on_closed);
    while (w.open_handles > 0) {
        (void)uv_run(loop, UV_RUN_NOWAIT);
    }
    return is_done(&w);
}
