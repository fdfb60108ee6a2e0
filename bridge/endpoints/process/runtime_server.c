#include "bridge/endpoints/process/runtime_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "bridge/endpoints/process/runtime_peer.h"
#include "core/base/log.h"
#include "core/http/mhd_loop.h"

struct runtime_server {
    struct runtime_server_params params;
    struct mhd_loop mhd;
    uv_timer_t stop;  // stops the daemon from the loop: a callback of it may be running
    int port;
    int parts;      // `mhd` and `stop`, which are still open
    bool is_blind;  // it can't tell who connects
    struct runtime_requests requests;
    void (*on_closed)(void *self);
    void *self;
};

static enum MHD_Result on_accept(void *self, const struct sockaddr *peer, socklen_t size)
{
    (void)size;
    struct runtime_server *s = self;
    uid_t uid;
    if (!runtime_peer_uid(peer, s->port, &uid)) {
        if (!s->is_blind) {
            s->is_blind = true;
            log_warn(s->params.component, "process_client_unknown", NULL,
                     "the kernel does not show who connects to the Runtime API: processes of other users on "
                     "this machine could ask for invocations; permit millrace AF_NETLINK or /proc/net/tcp");
        }
        return MHD_YES;
    }
    if (uid == s->params.uid) {
        return MHD_YES;
    }
    log_warn(s->params.component, "process_client_refused", LOG_WITH(LOG_NUMBER("uid", uid)),
             "another user's process connected to the function's Runtime API; its connection was closed");
    return MHD_NO;
}

static void on_daemon_log(void *self, const char *format, va_list arguments)
{
    const struct runtime_server *s = self;
    char text[256];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    log_debug(s->params.component, "runtime_api_log", NULL, "%s", text);
}

bool runtime_server_start(const struct runtime_server_params *params, struct runtime_server **ret,
                          struct fault *f)
{
    struct runtime_server *s = memory_zeroed(1, sizeof(*s));
    s->params = *params;
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_LOOP_FLAGS, 0, on_accept, s, runtime_requests_serve, &s->requests,
                         MHD_OPTION_EXTERNAL_LOGGER, on_daemon_log, s, MHD_OPTION_SOCK_ADDR, &address,
                         MHD_OPTION_NOTIFY_COMPLETED, runtime_requests_complete, &s->requests,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)params->connections_max, MHD_OPTION_END);
    if (daemon == NULL) {
        int code = errno;
        free(s);
        return fault_from(f, FAULT_RETRY, "errno", code, "can't listen on a port of 127.0.0.1: %s",
                          strerror(code));
    }
    s->port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    runtime_requests_init(&s->requests, &params->events, params->component, &s->mhd);
    mhd_loop_start(&s->mhd, params->loop, daemon);
    (void)uv_timer_init(params->loop, &s->stop);
    s->stop.data = s;
    s->parts = 2;
    *ret = s;
    return true;
}

bool runtime_server_send(struct runtime_server *s, struct runtime_invocation *invocation)
{
    return runtime_requests_send(&s->requests, invocation);
}

void runtime_server_forget(struct runtime_server *s, struct runtime_invocation *invocation)
{
    runtime_requests_forget(&s->requests, invocation);
}

struct runtime_invocation *runtime_server_first(const struct runtime_server *s)
{
    return s->requests.invocations;
}

int runtime_server_port(const struct runtime_server *s)
{
    return s->port;
}

static void on_part_closed(void *self)
{
    struct runtime_server *s = self;
    if (--s->parts > 0) {
        return;
    }
    void (*on_closed)(void *) = s->on_closed;
    void *owner = s->self;
    runtime_requests_clear(&s->requests);
    free(s);
    on_closed(owner);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static void on_stop(uv_timer_t *timer)
{
    struct runtime_server *s = timer->data;
    runtime_requests_resume(&s->requests);
    uv_close((uv_handle_t *)&s->stop, on_timer_closed);
    mhd_loop_stop(&s->mhd, on_part_closed, s);
}

void runtime_server_stop(struct runtime_server *s, void (*on_closed)(void *self), void *self)
{
    INVARIANT(s->requests.is_open);
    s->on_closed = on_closed;
    s->self = self;
    runtime_requests_close(&s->requests);
    (void)uv_timer_start(&s->stop, on_stop, 0, 0);
}
