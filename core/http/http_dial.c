#include "core/http/http_dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/http/http_policy.h"

enum { NEXT_AFTER_MS = 250 };

struct dial_attempt {
    uv_poll_t poll;
    int fd;  // -1: none
};

struct http_dial {
    uv_timer_t timer;  // the next address is due; or the end, when it came at once
    struct http_address_list addresses;
    struct dial_attempt attempts[HTTP_ADDRESSES_MAX];
    size_t begun_count;
    size_t open_count;  // attempts under way
    size_t handles;     // uv handles that are not closed
    int fd;             // connected; -1: none
    struct fault fault;
    http_on_dialed on_dialed;
    void *self;
};

static void on_closed(uv_handle_t *handle)
{
    struct http_dial *d = handle->data;
    if (--d->handles == 0) {
        free(d);
    }
}

static socklen_t size_of(const union http_address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

static void set_fault(struct http_dial *d, const union http_address *address, int code)
{
    char host[INET6_ADDRSTRLEN] = "?";
    (void)uv_ip_name(&address->any, host, sizeof(host));
    in_port_t port = address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port;
    (void)fault_from(&d->fault, FAULT_RETRY, "errno", code, "can't connect to %s port %d: %s", host,
                     ntohs(port), strerror(code));
}

/** Ends the attempt without closing its socket. */
static int release_attempt(struct http_dial *d, struct dial_attempt *attempt)
{
    int fd = attempt->fd;
    attempt->fd = -1;
    d->open_count--;
    uv_close((uv_handle_t *)&attempt->poll, on_closed);
    return fd;
}

static void close_attempts(struct http_dial *d)
{
    for (size_t i = 0; i < d->begun_count; i++) {
        if (d->attempts[i].fd >= 0) {
            close(release_attempt(d, &d->attempts[i]));
        }
    }
}

static void begin_next(struct http_dial *d);

static void finish(struct http_dial *d)
{
    int fd = d->fd;
    d->fd = -1;
    close_attempts(d);
    uv_close((uv_handle_t *)&d->timer, on_closed);  // frees d, but not before the loop's next turn
    d->on_dialed(d->self, fd, fd >= 0 ? NULL : &d->fault);
}

static void on_timer(uv_timer_t *timer)
{
    struct http_dial *d = timer->data;
    if (d->fd < 0 && d->begun_count < d->addresses.count) {
        begin_next(d);
    }
    if (d->fd >= 0 || (d->open_count == 0 && d->begun_count == d->addresses.count)) {
        finish(d);
    }
}

static void on_connected(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct http_dial *d = poll->data;
    struct dial_attempt *attempt = CONTAINER_OF(poll, struct dial_attempt, poll);
    int code = 0;
    socklen_t size = sizeof(code);
    int fd = release_attempt(d, attempt);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) {
        code = errno;
    }
    if (code == 0) {
        d->fd = fd;
        finish(d);
        return;
    }
    close(fd);
    set_fault(d, &d->addresses.items[attempt - d->attempts], code);
    on_timer(&d->timer);
}

/** Starts to connect. Returns 0 when connected, EINPROGRESS, or the errno of the failure. */
static int start_connect(const union http_address *address, int *ret_fd)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    const int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    int code = connect(fd, &address->any, size_of(address)) == 0 ? 0 : errno;
    if (code != 0 && code != EINPROGRESS) {
        close(fd);
        return code;
    }
    *ret_fd = fd;
    return code;
}

/** Tries the next addresses until one is under way or connected. The timer goes on from there. */
static void begin_next(struct http_dial *d)
{
    while (d->begun_count < d->addresses.count) {
        const union http_address *address = &d->addresses.items[d->begun_count];
        struct dial_attempt *attempt = &d->attempts[d->begun_count++];
        attempt->fd = -1;
        int fd = -1;
        int code = start_connect(address, &fd);
        if (code == 0) {
            d->fd = fd;
            break;
        }
        if (code != EINPROGRESS) {
            set_fault(d, address, code);
            continue;
        }
        attempt->fd = fd;
        INVARIANT(uv_poll_init(d->timer.loop, &attempt->poll, fd) == 0);
        attempt->poll.data = d;
        (void)uv_poll_start(&attempt->poll, UV_WRITABLE, on_connected);
        uv_unref((uv_handle_t *)&attempt->poll);
        d->open_count++;
        d->handles++;
        if (d->begun_count < d->addresses.count) {
            (void)uv_timer_start(&d->timer, on_timer, NEXT_AFTER_MS, 0);
        } else {
            (void)uv_timer_stop(&d->timer);
        }
        return;
    }
    (void)uv_timer_start(&d->timer, on_timer, 0, 0);
}

static bool are_permitted(const struct http_address_list *addresses, const struct http_dial_guard *guard,
                          struct fault *f)
{
    for (size_t i = 0; guard->policy != NULL && i < addresses->count; i++) {
        if (!http_policy_permits(guard->policy, guard->host, &addresses->items[i].any, f)) {
            return false;
        }
    }
    return true;
}

struct http_dial *http_dial_start(uv_loop_t *loop, const struct http_address_list *addresses,
                                  const struct http_dial_guard *guard, http_on_dialed on_dialed, void *self,
                                  struct fault *f)
{
    if (!are_permitted(addresses, guard, f)) {
        return NULL;
    }
    struct http_dial *d = memory_zeroed(1, sizeof(*d));
    d->addresses = *addresses;
    d->fd = -1;
    d->on_dialed = on_dialed;
    d->self = self;
    d->handles = 1;
    (void)uv_timer_init(loop, &d->timer);
    d->timer.data = d;
    uv_unref((uv_handle_t *)&d->timer);
    begin_next(d);
    return d;
}

void http_dial_cancel(struct http_dial *d)
{
    if (d->fd >= 0) {
        close(d->fd);
    }
    close_attempts(d);
    uv_close((uv_handle_t *)&d->timer, on_closed);
}
