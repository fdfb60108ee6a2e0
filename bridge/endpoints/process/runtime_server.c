#include "bridge/endpoints/process/runtime_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <utlist.h>

#include "bridge/endpoints/process/runtime_peer.h"
#include "bridge/endpoints/process/runtime_reply.h"
#include "bridge/endpoints/process/runtime_route.h"
#include "core/base/log.h"
#include "core/http/mhd_loop.h"

// A result that is too large is read to its end, since many clients look for the response only then; not one
// without end.
enum { DISCARDED_MAX = 64 << 20 };

#define ERROR_TYPE_HEADER "Lambda-Runtime-Function-Error-Type"

enum request_state {
    REQUEST_READING,
    REQUEST_ASKING,    // for an invocation, just now: libmicrohttpd waits for what the handler says
    REQUEST_WAITING,   // for an invocation; its connection is suspended
    REQUEST_ANSWERED,  // its response is known, and queued when libmicrohttpd asks again
    REQUEST_QUEUED,
};

/** One request from its first line until libmicrohttpd is done with it. */
struct runtime_request {
    struct runtime_server *server;
    struct MHD_Connection *connection;
    enum runtime_route route;
    enum request_state state;
    char id[RUNTIME_ID_SIZE + 1];  // in its path; cut, a longer one than an invocation's is still longer
    bool is_unknown;               // there is no such invocation
    bool is_too_large;
    size_t discarded;  // bytes
    struct bytes body;
    int status;
    struct MHD_Response *response;          // of REQUEST_ANSWERED
    struct runtime_invocation *invocation;  // that it carries to the function; NULL: none, or forgotten
    struct runtime_request *prev;
    struct runtime_request *next;
};

enum server_state { SERVER_RUNNING, SERVER_STOPPING, SERVER_CLOSING };

struct runtime_server {
    struct runtime_server_params params;
    struct mhd_loop mhd;
    uv_timer_t stop;  // stops the daemon from the loop: a callback of it may be running
    int port;
    int parts;  // `mhd` and `stop`, which are still open
    enum server_state state;
    bool is_blind;  // it can't tell who connects
    struct MHD_Response *accepted;
    struct runtime_request *requests;
    struct runtime_invocation *invocations;  // without a result
    void (*on_closed)(void *self);
    void *self;
};

static enum MHD_Result queue(struct runtime_request *request, int status, struct MHD_Response *response)
{
    request->state = REQUEST_QUEUED;
    return MHD_queue_response(request->connection, (unsigned)status, response);
}

static enum MHD_Result refuse(struct runtime_request *request, int status, const char *type,
                              const char *message)
{
    struct MHD_Response *response = runtime_reply_error(type, message);
    enum MHD_Result queued = queue(request, status, response);
    MHD_destroy_response(response);
    return queued;
}

static struct runtime_invocation *find_invocation(const struct runtime_server *s, const char *id)
{
    struct runtime_invocation *found = s->invocations;
    while (found != NULL && strcmp(found->id, id) != 0) {
        found = found->next;
    }
    return found;
}

void runtime_server_forget(struct runtime_server *s, struct runtime_invocation *invocation)
{
    DL_DELETE(s->invocations, invocation);
    if (invocation->request != NULL) {
        invocation->request->invocation = NULL;
        invocation->request = NULL;
    }
}

/** Ends the invocation; the request may be one that carries it, or its result. */
static void finish(struct runtime_server *s, struct runtime_invocation *invocation,
                   const struct runtime_result *r)
{
    runtime_server_forget(s, invocation);
    s->params.on_result(s->params.self, invocation, r);
}

static void answer(struct runtime_request *request, int status, struct MHD_Response *response)
{
    bool is_suspended = request->state == REQUEST_WAITING;
    request->state = REQUEST_ANSWERED;
    request->status = status;
    request->response = response;
    if (is_suspended) {
        mhd_loop_resume(&request->server->mhd, request->connection);
    }
}

static enum MHD_Result queue_answer(struct runtime_request *request)
{
    enum MHD_Result queued = queue(request, request->status, request->response);
    MHD_destroy_response(TAKE(request->response));
    return queued;
}

/** Whether the client has closed its end while it waited. */
static bool is_gone(const struct runtime_request *request)
{
    int fd = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    char byte;
    ssize_t size = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/** Takes out the first request that waits for an invocation and whose client is there; NULL: none. */
static struct runtime_request *take_waiting(struct runtime_server *s)
{
    struct runtime_request *request = s->requests;
    while (request != NULL) {
        struct runtime_request *next = request->next;
        if (request->state == REQUEST_WAITING || request->state == REQUEST_ASKING) {
            if (!is_gone(request)) {
                return request;
            }
            answer(request, MHD_HTTP_GONE, runtime_reply_make((struct slice){NULL, 0}));
        }
        request = next;
    }
    return NULL;
}

bool runtime_server_send(struct runtime_server *s, struct runtime_invocation *invocation)
{
    struct runtime_request *request = s->state == SERVER_RUNNING ? take_waiting(s) : NULL;
    if (request == NULL) {
        return false;
    }
    request->invocation = invocation;
    invocation->request = request;
    DL_APPEND(s->invocations, invocation);
    answer(request, MHD_HTTP_OK, runtime_reply_invocation(invocation));
    return true;
}

static const char *error_type_of(const struct runtime_request *request)
{
    const char *type = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, ERROR_TYPE_HEADER);
    // A function that streams its result learns of its failure too late for a header.
    return type != NULL
               ? type
               : MHD_lookup_connection_value(request->connection, MHD_FOOTER_KIND, ERROR_TYPE_HEADER);
}

static enum MHD_Result take_result(struct runtime_request *request)
{
    struct runtime_server *s = request->server;
    struct runtime_invocation *invocation = find_invocation(s, request->id);
    if (request->is_too_large) {
        return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "RequestEntityTooLarge",
                      "the result is larger than 6291456 bytes");
    }
    if (invocation == NULL) {
        log_warn(s->params.component, "process_unknown_request",
                 LOG_WITH(LOG_TEXT("request_id", request->id)),
                 "the function posted a result for an invocation that it does not run, or not any more");
        return refuse(request, MHD_HTTP_BAD_REQUEST, "InvalidRequestID",
                      "no invocation with this id is running here");
    }
    const char *type = error_type_of(request);
    const struct runtime_result r = {
        .verdict = request->route == RUNTIME_ERROR || type != NULL ? RUNTIME_FAILED : RUNTIME_SUCCEEDED,
        .body = bytes_slice(&request->body),
        .error_type = type,
    };
    enum MHD_Result queued = queue(request, MHD_HTTP_ACCEPTED, s->accepted);
    finish(s, invocation, &r);
    return queued;
}

static enum MHD_Result take_init_error(struct runtime_request *request)
{
    struct runtime_server *s = request->server;
    const struct runtime_result r = {
        .verdict = RUNTIME_FAILED,
        .body = bytes_slice(&request->body),
        .error_type = error_type_of(request),
    };
    enum MHD_Result queued = queue(request, MHD_HTTP_ACCEPTED, s->accepted);
    s->params.on_init_error(s->params.self, &r);
    return queued;
}

/** Suspends the connection until there is an invocation, unless there is one now. */
static enum MHD_Result take_next(struct runtime_request *request)
{
    request->state = REQUEST_ASKING;
    request->server->params.on_waiting(request->server->params.self);
    if (request->state == REQUEST_ANSWERED) {
        return queue_answer(request);
    }
    request->state = REQUEST_WAITING;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

/** The request has been read. */
static enum MHD_Result dispatch(struct runtime_request *request)
{
    switch (request->route) {
    case RUNTIME_NEXT:
        return take_next(request);
    case RUNTIME_RESPONSE:
    case RUNTIME_ERROR:
        return take_result(request);
    case RUNTIME_INIT_ERROR:
        return take_init_error(request);
    case RUNTIME_WRONG_METHOD:
        return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "MethodNotAllowed",
                      "this path has another method");
    case RUNTIME_UNKNOWN:
        break;
    }
    return refuse(request, MHD_HTTP_NOT_FOUND, "NotFound", "the Runtime API 2018-06-01 has no such path");
}

/** The result is too large: the call ends at once, and the rest is read and discarded. */
static void give_up(struct runtime_request *request)
{
    struct runtime_server *s = request->server;
    request->is_too_large = true;
    bytes_clear(&request->body);
    struct runtime_invocation *invocation = find_invocation(s, request->id);
    if (invocation != NULL) {
        const struct runtime_result r = {.verdict = RUNTIME_TOO_LARGE};
        finish(s, invocation, &r);
    }
}

/** False: the connection is to be closed. */
static bool take_body(struct runtime_request *request, const char *data, size_t size)
{
    if (!request->is_unknown && !request->is_too_large) {
        if (request->body.size + size <= RUNTIME_RESPONSE_MAX) {
            bytes_append(&request->body, data, size);
            return true;
        }
        give_up(request);
    }
    request->discarded += size;
    return request->discarded <= DISCARDED_MAX;
}

static struct runtime_request *begin_request(struct runtime_server *s, struct MHD_Connection *connection,
                                             const char *method, const char *path)
{
    struct runtime_request *request = memory_zeroed(1, sizeof(*request));
    request->server = s;
    request->connection = connection;
    struct slice id = {NULL, 0};
    request->route = runtime_route_of(method, path, &id);
    (void)snprintf(request->id, sizeof(request->id), "%.*s", (int)id.size, (const char *)id.data);
    bool has_body = request->route == RUNTIME_INIT_ERROR ||
                    ((request->route == RUNTIME_RESPONSE || request->route == RUNTIME_ERROR) &&
                     find_invocation(s, request->id) != NULL);
    request->is_unknown = !has_body;
    DL_APPEND(s->requests, request);
    return request;
}

// libmicrohttpd calls this for a new request, for each part of its body, once without data to respond, and
// again when its connection has been resumed.
// NOLINTNEXTLINE(readability-function-size): libmicrohttpd's signature
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **context)
{
    (void)version;
    struct runtime_server *s = self;
    struct runtime_request *request = *context;
    if (request == NULL) {
        *context = begin_request(s, connection, method, path);
        return MHD_YES;
    }
    if (*size > 0) {
        size_t taken = *size;
        *size = 0;
        return take_body(request, data, taken) ? MHD_YES : MHD_NO;
    }
    switch (request->state) {
    case REQUEST_READING:
        return s->state == SERVER_RUNNING ? dispatch(request) : MHD_NO;
    case REQUEST_ANSWERED:
        return queue_answer(request);
    case REQUEST_ASKING:
    case REQUEST_WAITING:
    case REQUEST_QUEUED:
        break;
    }
    return MHD_NO;
}

static void on_completed(void *self, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection;
    struct runtime_server *s = self;
    struct runtime_request *request = *context;
    *context = NULL;
    if (request == NULL) {
        return;
    }
    DL_DELETE(s->requests, request);
    struct runtime_invocation *invocation = request->invocation;
    if (invocation != NULL) {
        invocation->request = NULL;
        request->invocation = NULL;
        if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK && s->state == SERVER_RUNNING) {
            const struct runtime_result r = {.verdict = RUNTIME_UNSENT};
            finish(s, invocation, &r);
        }
    }
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    bytes_clear(&request->body);
    free(request);
}

static enum MHD_Result on_accept(void *self, const struct sockaddr *peer, socklen_t size)
{
    (void)size;
    struct runtime_server *s = self;
    uid_t uid;
    if (!runtime_peer_uid(peer, s->port, &uid)) {
        if (!s->is_blind) {
            s->is_blind = true;
            log_warn(s->params.component, "process_client_unknown", NULL,
                     "the kernel does not show who connects to the Runtime API (/proc/net/tcp): processes of "
                     "other "
                     "users on this machine could ask for invocations");
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
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_LOOP_FLAGS, 0, on_accept, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_daemon_log, s,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)params->connections_max, MHD_OPTION_END);
    if (daemon == NULL) {
        int code = errno;
        free(s);
        return fault_from(f, FAULT_RETRY, "errno", code, "can't listen on a port of 127.0.0.1: %s",
                          strerror(code));
    }
    s->port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    s->accepted = runtime_reply_make(slice_of("{\"status\":\"OK\"}\n"));
    mhd_loop_start(&s->mhd, params->loop, daemon);
    (void)uv_timer_init(params->loop, &s->stop);
    s->stop.data = s;
    s->parts = 2;
    *ret = s;
    return true;
}

struct runtime_invocation *runtime_server_first(const struct runtime_server *s)
{
    return s->invocations;
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
    MHD_destroy_response(s->accepted);
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
    s->state = SERVER_CLOSING;
    struct runtime_request *request;
    DL_FOREACH (s->requests, request) {
        if (request->state == REQUEST_WAITING) {  // MHD_stop_daemon aborts when a connection is suspended
            answer(request, MHD_HTTP_GONE, runtime_reply_make((struct slice){NULL, 0}));
        }
    }
    uv_close((uv_handle_t *)&s->stop, on_timer_closed);
    mhd_loop_stop(&s->mhd, on_part_closed, s);
}

void runtime_server_stop(struct runtime_server *s, void (*on_closed)(void *self), void *self)
{
    INVARIANT(s->state == SERVER_RUNNING);
    s->state = SERVER_STOPPING;
    s->on_closed = on_closed;
    s->self = self;
    while (s->invocations != NULL) {
        runtime_server_forget(s, s->invocations);
    }
    (void)uv_timer_start(&s->stop, on_stop, 0, 0);
}
