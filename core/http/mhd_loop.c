#include "core/http/mhd_loop.h"

static void run(struct mhd_loop *l);

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void run(struct mhd_loop *l)
{
    do {
        l->is_resumed = false;
        (void)MHD_run(l->daemon);
    } while (l->is_resumed);  // by a handler: MHD_get_timeout of 0.9.75 does not know it
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    if (MHD_get_timeout(l->daemon, &wait_ms) == MHD_YES) {
        // Never 0: libuv 1.44 would run the timer again before it polls any descriptor.
        (void)uv_timer_start(&l->timer, on_timer, wait_ms == 0 ? 1 : wait_ms, 0);
    } else {
        (void)uv_timer_stop(&l->timer);
    }
}

void mhd_loop_start(struct mhd_loop *l, uv_loop_t *loop, struct MHD_Daemon *daemon)
{
    l->daemon = daemon;
    int epoll_fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    (void)uv_poll_init(loop, &l->poll, epoll_fd);
    (void)uv_timer_init(loop, &l->timer);
    l->poll.data = l;
    l->timer.data = l;
    l->handles = 2;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

void mhd_loop_resume(struct mhd_loop *l, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    l->is_resumed = true;
    // libmicrohttpd 0.9.75 notices a resumed connection only in MHD_run, which is not re-entrant.
    (void)uv_timer_start(&l->timer, on_timer, 0, 0);
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
}
