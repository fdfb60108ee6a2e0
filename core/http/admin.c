#include "core/http/admin.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/http/admin_connections.h"
#include "core/http/admin_routes.h"
#include "core/http/listen_socket.h"
#include "core/http/mhd_loop.h"

enum {
    BODIES_MAX_BYTES = 16 * 1024 * 1024,  // of all requests together
    CHECK_MS = 1000,
};

/** One request from its first line until libmicrohttpd is done with it. */
struct admin_reply {
    struct admin *admin;
    struct MHD_Connection *connection;
    struct admin_connection *peer;
    const struct admin_route *route;  // NULL: refused
    struct bytes body;
    int refusal;  // status of the response once the body is read and discarded; 0: none
    bool is_dispatched;
    bool is_suspended;
    int status;                     // 0: no response yet
    struct MHD_Response *response;  // NULL before admin_answer
    struct admin_reply *prev;
    struct admin_reply *next;
};

struct admin {
    struct mhd_loop mhd;
    int port;
    uv_timer_t check;  // closes connections whose deadline has passed
    int parts;         // `mhd` and `check`, which are still open
    struct admin_routes routes;
    struct admin_connections connections;
    size_t bodies_bytes;
    struct admin_reply *replies;
};

const char *admin_request_query(const struct admin_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->reply->connection, MHD_GET_ARGUMENT_KIND, name);
}

/** Queues a response; libmicrohttpd takes it over. */
static enum MHD_Result queue_response(struct MHD_Connection *connection, int status,
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
        mhd_loop_resume(&reply->admin->mhd, reply->connection);
    }
}

static void respond_error(struct admin_reply *reply, int status, const char *message)
{
    CLEANUP(bytes_clear) struct bytes body = {0};
    bytes_format(&body, "{\"error_code\":%d,\"message\":\"%s\"}\n", status, message);
    admin_answer(reply, status, "application/json", bytes_slice(&body));
}

static const char *header(const struct admin_reply *reply, const char *name)
{
    return MHD_lookup_connection_value(reply->connection, MHD_HEADER_KIND, name);
}

/** Checks the request line and the headers, before the body is read; false when the request was refused. */
static bool admit(struct admin_reply *reply, const char *path, const char *method)
{
    const struct admin_head head = {
        .method = method,
        .path = path,
        .host = header(reply, MHD_HTTP_HEADER_HOST),
        .origin = header(reply, MHD_HTTP_HEADER_ORIGIN),
        .content_type = header(reply, MHD_HTTP_HEADER_CONTENT_TYPE),
        .content_length = header(reply, MHD_HTTP_HEADER_CONTENT_LENGTH),
        .transfer_encoding = header(reply, MHD_HTTP_HEADER_TRANSFER_ENCODING),
    };
    struct admin_refusal refusal;
    if (!admin_routes_admit(&reply->admin->routes, &head, &reply->route, &refusal)) {
        respond_error(reply, refusal.status, refusal.message);
        return false;
    }
    return true;
}

static void dispatch(struct admin_reply *reply, const char *method, const char *path)
{
    const struct admin_route *route = reply->route;
    admin_connection_enter(reply->peer, ADMIN_HANDLED);
    if (reply->refusal != 0) {
        respond_error(reply, reply->refusal,
                      reply->refusal == MHD_HTTP_CONTENT_TOO_LARGE ? "the body is larger than 2 MiB"
                                                                   : "too many bodies at once");
        return;
    }
    const struct admin_request request = {
        .method = method,
        .path = path + strlen(route->prefix),
        .authorization = header(reply, MHD_HTTP_HEADER_AUTHORIZATION),
        .body = bytes_slice(&reply->body),
        .reply = reply,
    };
    route->handler(route->self, &request);
}

static void release_body(struct admin_reply *reply)
{
    reply->admin->bodies_bytes -= reply->body.size;
    bytes_clear(&reply->body);
}

/** Appends to the body. A body that is too large is read and discarded, as many clients read the response
 * only after sending the whole body. */
static void take_body(struct admin_reply *reply, const char *data, size_t size)
{
    struct admin *a = reply->admin;
    if (reply->refusal != 0) {
        return;
    }
    if (reply->body.size + size > ADMIN_BODY_MAX_BYTES) {
        reply->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    } else if (a->bodies_bytes + size > BODIES_MAX_BYTES) {
        reply->refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    if (reply->refusal != 0) {
        release_body(reply);
        return;
    }
    bytes_append(&reply->body, data, size);
    a->bodies_bytes += size;
}

static struct admin_reply *new_reply(struct admin *a, struct MHD_Connection *connection)
{
    struct admin_reply *reply = memory_zeroed(1, sizeof(*reply));
    reply->admin = a;
    reply->connection = connection;
    reply->peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    DL_APPEND(a->replies, reply);
    return reply;
}

static enum MHD_Result send_response(struct admin_reply *reply)
{
    admin_connection_enter(reply->peer, ADMIN_ANSWERING);
    return queue_response(reply->connection, reply->status, TAKE(reply->response));
}

/** libmicrohttpd calls this with the headers, then for each piece of the body, then at its end. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request_state)
{
    (void)version;
    struct admin_reply *reply = *request_state;
    if (reply == NULL) {
        reply = new_reply(self, connection);
        *request_state = reply;
        // A response queued here closes the connection without reading the body.
        return admit(reply, url, method) ? MHD_YES : send_response(reply);
    }
    if (*upload_size > 0) {
        take_body(reply, upload, *upload_size);
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
    return send_response(reply);
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
    struct admin *a = reply->admin;
    DL_DELETE(a->replies, reply);
    if (reply->response != NULL) {
        MHD_destroy_response(reply->response);
    }
    admin_routes_release(&a->routes, reply->route);
    admin_connection_enter(reply->peer, ADMIN_READING);
    release_body(reply);
    free(reply);
}

static void on_connection(void *self, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct admin *a = self;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        const struct sockaddr *peer =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
        *socket_context = admin_connections_add(&a->connections, fd, peer);
    } else if (*socket_context != NULL) {
        admin_connections_remove(&a->connections, *socket_context);
        *socket_context = NULL;
    }
}

static void on_check(uv_timer_t *timer)
{
    struct admin *a = timer->data;
    admin_connections_check(&a->connections);
}

static void on_daemon_log(void *self, const char *format, va_list arguments)
{
    (void)self;
    char text[256];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    log_debug("admin", "admin_log", NULL, "%s", text);
}

bool admin_start(const struct admin_params *params, struct admin **ret, struct fault *f)
{
    int fd = -1;
    bool is_v6 = false;
    if (!listen_socket_open(params->host, params->port, params->key, &fd, &is_v6, f)) {
        return false;
    }
    struct admin *a = memory_zeroed(1, sizeof(*a));
    a->port = listen_socket_port(fd);
    a->routes.hosts = params->hosts;
    unsigned flags = MHD_LOOP_FLAGS | (is_v6 ? MHD_USE_IPv6 : 0);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, (uint16_t)a->port, NULL, NULL, on_request, a, MHD_OPTION_EXTERNAL_LOGGER,
                         on_daemon_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
                         on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, a,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)ADMIN_CONNECTIONS_MAX, MHD_OPTION_END);
    if (daemon == NULL) {
        close(fd);
        free(a);
        return fault_set(f, FAULT_FATAL, "libmicrohttpd does not start on %s port %d", params->host,
                         params->port);
    }
    mhd_loop_start(&a->mhd, params->loop, daemon);
    (void)uv_timer_init(params->loop, &a->check);
    a->check.data = a;
    a->parts = 2;
    (void)uv_timer_start(&a->check, on_check, CHECK_MS, CHECK_MS);
    *ret = a;
    return true;
}

int admin_port(const struct admin *a)
{
    return a->port;
}

void admin_route(struct admin *a, const char *prefix, admin_handler handler, void *self)
{
    admin_routes_add(&a->routes, prefix, handler, self, false);
}

void admin_route_writable(struct admin *a, const char *prefix, admin_handler handler, void *self)
{
    admin_routes_add(&a->routes, prefix, handler, self, true);
}

static void on_part_closed(void *self)
{
    struct admin *a = self;
    if (--a->parts > 0) {
        return;
    }
    admin_routes_clear(&a->routes);
    free(a);
}

static void on_check_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

void admin_stop(struct admin *a)
{
    if (a == NULL) {
        return;
    }
    // MHD_stop_daemon aborts the process when there are suspended connections.
    struct admin_reply *reply;
    DL_FOREACH (a->replies, reply) {
        if (reply->is_suspended) {
            respond_error(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping");
        }
    }
    (void)uv_timer_stop(&a->check);
    uv_close((uv_handle_t *)&a->check, on_check_closed);
    mhd_loop_stop(&a->mhd, on_part_closed, a);
}
