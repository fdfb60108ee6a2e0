#include "core/http/mhd_loop.h"

// libmicrohttpd does several steps for a request; other descriptors of the loop wait no longer than these.
enum { TURNS_MAX = 8 };

static void on_timer(uv_timer_t *timer);
static void on_again(uv_idle_t *again);

/** Whether it has more to do without waiting for its descriptor; else starts the timer. */
static bool has_more(struct mhd_loop *l)
{
    if (l->is_resumed) {  // by a handler: MHD_get_timeout of 0.9.75 does not know it
        return true;
    }
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    bool has_time_out = MHD_get_timeout(l->daemon, &wait_ms) == MHD_YES;
    if (has_time_out && wait_ms > 0) {
        (void)uv_timer_start(&l->timer, on_timer, wait_ms, 0);
    } else {
        (void)uv_timer_stop(&l->timer);
    }
    return has_time_out && wait_ms == 0;
}

static void run(struct mhd_loop *l)
{
    bool is_busy = true;
    for (int turn = 0; is_busy && turn < TURNS_MAX; turn++) {
        l->is_resumed = false;
        (void)MHD_run(l->daemon);
        is_busy = has_more(l);
    }
    if (is_busy) {
        (void)uv_idle_start(&l->again, on_again);
    } else {
        (void)uv_idle_stop(&l->again);
    }
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_again(uv_idle_t *again)
{
    run(again->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

void mhd_loop_start(struct mhd_loop *l, uv_loop_t *loop, struct MHD_Daemon *daemon)
{
    l->daemon = daemon;
    int epoll_fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    (void)uv_poll_init(loop, &l->poll, epoll_fd);
    (void)uv_timer_init(loop, &l->timer);
    l->poll.data = l;
    (void)uv_idle_init(loop, &l->again);
    l->timer.data = l;
    l->again.data = l;
    l->handles = 3;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

void mhd_loop_resume(struct mhd_loop *l, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    l->is_resumed = true;
    // libmicrohttpd 0.9.75 notices a resumed connection only in MHD_run, which is not re-entrant.
    (void)uv_idle_start(&l->again, on_again);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct mhd_loop *l = handle->data;
    if (--l->handles == 0) {
        l->on_closed(l->self);
    }
}

void mhd_loop_stop(struct mhd_loop *l, void (*on_closed)(void *self), void *self)
{
    l->on_closed = on_closed;
    l->self = self;
    (void)uv_poll_stop(&l->poll);
    (void)uv_timer_stop(&l->timer);
    MHD_stop_daemon(l->daemon);
    uv_close((uv_handle_t *)&l->poll, on_handle_closed);
    uv_close((uv_handle_t *)&l->timer, on_handle_closed);
    uv_close((uv_handle_t *)&l->again, on_handle_closed);
}
