#include "core/http/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "core/base/log.h"
#include "core/base/memory.h"

enum { BODY_MAX_BYTES = 16 * 1024 * 1024, CONNECTIONS_MAX = 128, IDLE_SECONDS = 30 };

struct admin_route {
    char *prefix;
    admin_handler handler;
    void *self;
    struct admin_route *next;
};

/** One request from its first line until libmicrohttpd is done with it. */
struct admin_reply {
    struct admin *admin;
    struct MHD_Connection *connection;
    struct bytes body;
    bool is_oversize;
    bool is_dispatched;
    bool is_suspended;
    int status;                     // 0: not answered yet
    struct MHD_Response *response;  // NULL before the answer
    struct admin_reply *prev;
    struct admin_reply *next;
};

struct admin {
    struct MHD_Daemon *daemon;
    int port;
    uv_poll_t poll;    // on libmicrohttpd's epoll descriptor
    uv_timer_t timer;  // when it wants to run without any input
    int handles;       // of ours still open on the loop
    struct admin_route *routes;
    struct admin_reply *replies;
};

const char *admin_request_query(const struct admin_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->reply->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void run(struct admin *a);

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

static void run(struct admin *a)
{
    (void)MHD_run(a->daemon);
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    if (MHD_get_timeout(a->daemon, &wait_ms) == MHD_YES) {
        // Never 0: libuv 1.44 runs a timer that is due at once again before it looks at anything else.
        (void)uv_timer_start(&a->timer, on_timer, wait_ms == 0 ? 1 : wait_ms, 0);
    } else {
        (void)uv_timer_stop(&a->timer);
    }
}

/** Hands a whole answer to libmicrohttpd, which owns the response from then on. */
static enum MHD_Result queue_answer(struct MHD_Connection *connection, int status,
                                    struct MHD_Response *response)
{
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

static struct MHD_Response *make_response(const char *content_type, struct slice body)
{
    void *copy = memory_new(body.size + 1);
    if (body.size > 0) {
        memcpy(copy, body.data, body.size);
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(body.size, copy, MHD_RESPMEM_MUST_FREE);
    INVARIANT(response != NULL);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    return response;
}

void admin_answer(struct admin_reply *reply, int status, const char *content_type, struct slice body)
{
    INVARIANT(reply->response == NULL);
    reply->response = make_response(content_type, body);
    reply->status = status;
    if (reply->is_suspended) {
        reply->is_suspended = false;
        MHD_resume_connection(reply->connection);
        // 0.9.75 notices a resumed connection only in MHD_run, which must not be called from inside itself.
        (void)uv_timer_start(&reply->admin->timer, on_timer, 0, 0);
    }
}

static void answer_error(struct admin_reply *reply, int status, const char *message)
{
    CLEANUP(bytes_clear) struct bytes body = {0};
    bytes_format(&body, "{\"error_code\":%d,\"message\":\"%s\"}\n", status, message);
    admin_answer(reply, status, "application/json", bytes_slice(&body));
}

/** The route with the longest prefix that is the path or one of its parents. */
static const struct admin_route *find_route(const struct admin *a, const char *path)
{
    const struct admin_route *best = NULL;
    size_t best_size = 0;
    for (const struct admin_route *r = a->routes; r != NULL; r = r->next) {
        size_t size = strlen(r->prefix);
        bool matches = strncmp(path, r->prefix, size) == 0 && (path[size] == '\0' || path[size] == '/');
        if (matches && (best == NULL || size > best_size)) {
            best = r;
            best_size = size;
        }
    }
    return best;
}

static void dispatch(struct admin_reply *reply, const char *method, const char *path)
{
    const struct admin_route *route = find_route(reply->admin, path);
    if (reply->is_oversize) {
        answer_error(reply, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 16 MiB");
        return;
    }
    if (route == NULL) {
        answer_error(reply, MHD_HTTP_NOT_FOUND, "nothing is served here");
        return;
    }
    const struct admin_request request = {
        .method = method,
        .path = path + strlen(route->prefix),
        .authorization =
            MHD_lookup_connection_value(reply->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION),
        .body = bytes_slice(&reply->body),
        .reply = reply,
    };
    route->handler(route->self, &request);
}

/** libmicrohttpd calls this with the first line, then for each piece of the body, then at its end. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request_state)
{
    (void)version;
    struct admin_reply *reply = *request_state;
    if (reply == NULL) {
        reply = memory_zeroed(1, sizeof(*reply));
        reply->admin = self;
        reply->connection = connection;
        DL_APPEND(reply->admin->replies, reply);
        *request_state = reply;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        // What is too much is read and thrown away: the answer comes when the client is ready to read it.
        if (reply->body.size + *upload_size > BODY_MAX_BYTES) {
            reply->is_oversize = true;
            bytes_clear(&reply->body);
        }
        if (!reply->is_oversize) {
            bytes_append(&reply->body, upload, *upload_size);
        }
        *upload_size = 0;
        return MHD_YES;
    }
    if (!reply->is_dispatched) {
        reply->is_dispatched = true;
        dispatch(reply, method, url);
    }
    if (reply->response == NULL) {
        reply->is_suspended = true;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    return queue_answer(connection, reply->status, TAKE(reply->response));
}

static void on_completed(void *self, struct MHD_Connection *connection, void **request_state,
                         enum MHD_RequestTerminationCode code)
{
    (void)self;
    (void)connection;
    (void)code;
    struct admin_reply *reply = *request_state;
    if (reply == NULL) {
        return;
    }
    *request_state = NULL;
    DL_DELETE(reply->admin->replies, reply);
    if (reply->response != NULL) {
        MHD_destroy_response(reply->response);
    }
    bytes_clear(&reply->body);
    free(reply);
}

static void on_daemon_log(void *self, const char *format, va_list arguments)
{
    (void)self;
    char text[256];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    log_debug("admin", "admin_log", NULL, "%s", text);
}

struct admin_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    socklen_t size;
};

/** Addresses only, no look-ups: they would block the loop. */
static bool parse_address(const char *host, int port, struct admin_address *ret, struct fault *f)
{
    struct admin_address address = {0};
    const char *literal = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (port < 0 || port > 65535) {
        return fault_set(f, FAULT_CONFIG, "admin.listen: %d is no port", port);
    }
    if (inet_pton(AF_INET, literal, &address.socket.v4.sin_addr) == 1) {
        address.socket.v4.sin_family = AF_INET;
        address.socket.v4.sin_port = htons((uint16_t)port);
        address.size = sizeof(address.socket.v4);
    } else if (inet_pton(AF_INET6, literal, &address.socket.v6.sin6_addr) == 1) {
        address.socket.v6.sin6_family = AF_INET6;
        address.socket.v6.sin6_port = htons((uint16_t)port);
        address.size = sizeof(address.socket.v6);
    } else {
        return fault_set(f, FAULT_CONFIG, "admin.listen: \"%s\" is no IP address (nor localhost)", host);
    }
    *ret = address;
    return true;
}

/** A listening socket, or -1 and *f. */
static int open_socket(const struct admin_address *address, const char *host, int port, struct fault *f)
{
    int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, &address->socket.any, address->size) != 0 || listen(fd, SOMAXCONN) != 0) {
        int code = errno;
        (void)fault_from(f, FAULT_CONFIG, "errno", code, "can't listen on %s port %d (admin.listen): %s",
                         host, port, strerror(code));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static int port_of(int fd)
{
    struct admin_address bound = {.size = sizeof(bound.socket)};
    if (getsockname(fd, &bound.socket.any, &bound.size) != 0) {
        return 0;
    }
    return ntohs(bound.socket.any.sa_family == AF_INET6 ? bound.socket.v6.sin6_port
                                                        : bound.socket.v4.sin_port);
}

bool admin_start(uv_loop_t *loop, const char *host, int port, struct admin **ret, struct fault *f)
{
    struct admin_address address;
    if (!parse_address(host, port, &address, f)) {
        return false;
    }
    int fd = open_socket(&address, host, port, f);
    if (fd < 0) {
        return false;
    }
    struct admin *a = memory_zeroed(1, sizeof(*a));
    a->port = port_of(fd);
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (address.socket.any.sa_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    a->daemon =
        MHD_start_daemon(flags, (uint16_t)a->port, NULL, NULL, on_request, a, MHD_OPTION_EXTERNAL_LOGGER,
                         on_daemon_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
                         on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (a->daemon == NULL) {
        close(fd);
        free(a);
        return fault_set(f, FAULT_FATAL, "libmicrohttpd does not start on %s port %d", host, port);
    }
    int epoll_fd = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    (void)uv_poll_init(loop, &a->poll, epoll_fd);
    (void)uv_timer_init(loop, &a->timer);
    a->poll.data = a;
    a->timer.data = a;
    a->handles = 2;
    (void)uv_poll_start(&a->poll, UV_READABLE, on_readable);
    *ret = a;
    return true;
}

int admin_port(const struct admin *a)
{
    return a->port;
}

void admin_route(struct admin *a, const char *prefix, admin_handler handler, void *self)
{
    struct admin_route *route = memory_zeroed(1, sizeof(*route));
    route->prefix = memory_string(prefix);
    route->handler = handler;
    route->self = self;
    LL_APPEND(a->routes, route);
}

static void on_closed(uv_handle_t *handle)
{
    struct admin *a = handle->data;
    if (--a->handles > 0) {
        return;
    }
    while (a->routes != NULL) {
        struct admin_route *route = a->routes;
        a->routes = route->next;
        free(route->prefix);
        free(route);
    }
    free(a);
}

void admin_stop(struct admin *a)
{
    if (a == NULL) {
        return;
    }
    // libmicrohttpd stops the process when it is stopped with suspended connections.
    struct admin_reply *reply;
    DL_FOREACH (a->replies, reply) {
        if (reply->is_suspended) {
            answer_error(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping");
        }
    }
    (void)uv_poll_stop(&a->poll);
    (void)uv_timer_stop(&a->timer);
    MHD_stop_daemon(a->daemon);
    uv_close((uv_handle_t *)&a->poll, on_closed);
    uv_close((uv_handle_t *)&a->timer, on_closed);
}
