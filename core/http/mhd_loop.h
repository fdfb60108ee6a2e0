// A libmicrohttpd daemon on a libuv loop: its descriptor and its time-outs, without threads.
#ifndef CORE_HTTP_MHD_LOOP_H
#define CORE_HTTP_MHD_LOOP_H

#include <stdbool.h>

#include <microhttpd.h>
#include <uv.h>

/** Embedded in its server; must stay in place until on_closed. */
struct mhd_loop {
    struct MHD_Daemon *daemon;
    uv_poll_t poll;    // on the daemon's epoll descriptor
    uv_timer_t timer;  // its next time-out
    uv_idle_t again;   // it has more to do at once: libuv 1.44 runs a timer of 0 and polls nothing
    int handles;       // still open on the loop
    bool is_resumed;   // a connection was, since the last MHD_run began
    void (*on_closed)(void *self);
    void *self;
};

/** Flags that a daemon on a loop is started with. */
enum { MHD_LOOP_FLAGS = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG };

/** Serves the daemon, which was started with MHD_LOOP_FLAGS and now belongs to `l`. */
void mhd_loop_start(struct mhd_loop *l, uv_loop_t *loop, struct MHD_Daemon *daemon);

/** Resumes a suspended connection; its handler is called again from the loop, not from here. */
void mhd_loop_resume(struct mhd_loop *l, struct MHD_Connection *connection);

/** Stops the daemon, which aborts when a connection is suspended: resume all before. on_closed comes later,
 * on the loop. */
void mhd_loop_stop(struct mhd_loop *l, void (*on_closed)(void *self), void *self);

#endif
