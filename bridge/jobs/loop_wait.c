#include "bridge/jobs/loop_wait.h"

struct wait {
    uv_timer_t timer;
    bool is_late;
    bool is_closed;
};

static void on_late(uv_timer_t *timer)
{
    ((struct wait *)timer->data)->is_late = true;
}

static void on_closed(uv_handle_t *handle)
{
    ((struct wait *)handle->data)->is_closed = true;
}

bool loop_wait(uv_loop_t *loop, uint64_t wait_ms, bool (*is_over)(void *self), void *self)
{
    bool ret = is_over(self);
    if (ret) {
        return true;
    }
    struct wait w = {.is_late = false};
    (void)uv_timer_init(loop, &w.timer);
    w.timer.data = &w;
    (void)uv_timer_start(&w.timer, on_late, wait_ms, 0);
    while (!ret && !w.is_late) {
        (void)uv_run(loop, UV_RUN_ONCE);
        ret = is_over(self);
    }
    uv_close((uv_handle_t *)&w.timer, on_closed);
    while (!w.is_closed) {
        (void)uv_run(loop, UV_RUN_NOWAIT);
    }
    return ret;
}
