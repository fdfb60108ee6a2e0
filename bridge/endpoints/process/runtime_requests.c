#include "bridge/endpoints/process/runtime_requests.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include <utlist.h>

#include "bridge/endpoints/process/runtime_reply.h"
#include "bridge/endpoints/process/runtime_route.h"
#include "core/base/log.h"

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

/** What becomes of the body. */
enum body_state {
    BODY_UNWANTED,  // it is discarded: the route has none, or there is no such invocation
    BODY_KEPT,
    BODY_TOO_LARGE,  // the rest is discarded
};

/** One request from its first line until libmicrohttpd is done with it. */
struct runtime_request {
    struct runtime_requests *owner;
    struct MHD_Connection *connection;
    enum runtime_route route;
    enum request_state state;
    char id[RUNTIME_ID_SIZE + 1];  // in its path; cut, a longer one than an invocation's is still longer
    enum body_state body_state;
    size_t discarded;  // bytes
    struct bytes body;
    int status;
    struct MHD_Response *response;          // of REQUEST_ANSWERED
    struct runtime_invocation *invocation;  // that it carries to the function; NULL: none, or forgotten
    struct runtime_request *prev;
    struct runtime_request *next;
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

static struct runtime_invocation *find_invocation(const struct runtime_requests *r, const char *id)
{
    struct runtime_invocation *found = r->invocations;
    while (found != NULL && strcmp(found->id, id) != 0) {
        found = found->next;
    }
    return found;
}

void runtime_requests_forget(struct runtime_requests *r, struct runtime_invocation *invocation)
{
    DL_DELETE(r->invocations, invocation);
    if (invocation->request != NULL) {
        invocation->request->invocation = NULL;
        invocation->request = NULL;
    }
}

/** Ends the invocation; the request may be one that carries it, or its result. */
static void finish(struct runtime_requests *r, struct runtime_invocation *invocation,
                   const struct runtime_result *result)
{
    runtime_requests_forget(r, invocation);
    r->events.on_result(r->events.self, invocation, result);
}

static void answer(struct runtime_request *request, int status, struct MHD_Response *response)
{
    bool is_suspended = request->state == REQUEST_WAITING;
    request->state = REQUEST_ANSWERED;
    request->status = status;
    request->response = response;
    if (is_suspended) {
        mhd_loop_resume(request->owner->mhd, request->connection);
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
static struct runtime_request *take_waiting(struct runtime_requests *r)
{
    struct runtime_request *request = r->requests;
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

bool runtime_requests_send(struct runtime_requests *r, struct runtime_invocation *invocation)
{
    struct runtime_request *request = r->is_open ? take_waiting(r) : NULL;
    if (request == NULL) {
        return false;
    }
    request->invocation = invocation;
    invocation->request = request;
    DL_APPEND(r->invocations, invocation);
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
    struct runtime_requests *r = request->owner;
    struct runtime_invocation *invocation = find_invocation(r, request->id);
    if (request->body_state == BODY_TOO_LARGE) {
        return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "RequestEntityTooLarge",
                      "the result is larger than 6291456 bytes");
    }
    if (invocation == NULL) {
        log_warn(r->component, "process_unknown_request", LOG_WITH(LOG_TEXT("request_id", request->id)),
                 "the function posted a result for an invocation that it does not run, or not any more");
        return refuse(request, MHD_HTTP_BAD_REQUEST, "InvalidRequestID",
                      "no invocation with this id is running here");
    }
    const char *type = error_type_of(request);
    const struct runtime_result result = {
        .verdict = request->route == RUNTIME_ERROR || type != NULL ? RUNTIME_FAILED : RUNTIME_SUCCEEDED,
        .body = bytes_slice(&request->body),
        .error_type = type,
    };
    enum MHD_Result queued = queue(request, MHD_HTTP_ACCEPTED, r->accepted);
    finish(r, invocation, &result);
    return queued;
}

static enum MHD_Result take_init_error(struct runtime_request *request)
{
    struct runtime_requests *r = request->owner;
    const struct runtime_result result = {
        .verdict = RUNTIME_FAILED,
        .body = bytes_slice(&request->body),
        .error_type = error_type_of(request),
    };
    enum MHD_Result queued = queue(request, MHD_HTTP_ACCEPTED, r->accepted);
    r->events.on_init_error(r->events.self, &result);
    return queued;
}

/** Suspends the connection until there is an invocation, unless there is one now. */
static enum MHD_Result take_next(struct runtime_request *request)
{
    request->state = REQUEST_ASKING;
    request->owner->events.on_waiting(request->owner->events.self);
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
static void refuse_large(struct runtime_request *request)
{
    struct runtime_requests *r = request->owner;
    request->body_state = BODY_TOO_LARGE;
    bytes_clear(&request->body);
    struct runtime_invocation *invocation = find_invocation(r, request->id);
    if (invocation != NULL) {
        const struct runtime_result result = {.verdict = RUNTIME_TOO_LARGE};
        finish(r, invocation, &result);
    }
}

/** False: the connection is to be closed. */
static bool take_body(struct runtime_request *request, const char *data, size_t size)
{
    if (request->body_state == BODY_KEPT) {
        if (request->body.size + size <= RUNTIME_RESPONSE_MAX) {
            bytes_append(&request->body, data, size);
            return true;
        }
        refuse_large(request);
    }
    request->discarded += size;
    return request->discarded <= DISCARDED_MAX;
}

static struct runtime_request *begin_request(struct runtime_requests *r, struct MHD_Connection *connection,
                                             const char *method, const char *path)
{
    struct runtime_request *request = memory_zeroed(1, sizeof(*request));
    request->owner = r;
    request->connection = connection;
    struct slice id = {NULL, 0};
    request->route = runtime_route_of(method, path, &id);
    (void)snprintf(request->id, sizeof(request->id), "%.*s", (int)id.size, (const char *)id.data);
    bool has_body = request->route == RUNTIME_INIT_ERROR ||
                    ((request->route == RUNTIME_RESPONSE || request->route == RUNTIME_ERROR) &&
                     find_invocation(r, request->id) != NULL);
    request->body_state = has_body ? BODY_KEPT : BODY_UNWANTED;
    DL_APPEND(r->requests, request);
    return request;
}

// libmicrohttpd calls this for a new request, for each part of its body, once without data to respond, and
// again when its connection has been resumed.
// NOLINTNEXTLINE(readability-function-size): libmicrohttpd's signature
enum MHD_Result runtime_requests_serve(void *self, struct MHD_Connection *connection, const char *path,
                                       const char *method, const char *version, const char *data,
                                       size_t *size, void **context)
{
    (void)version;
    struct runtime_requests *r = self;
    struct runtime_request *request = *context;
    if (request == NULL) {
        *context = begin_request(r, connection, method, path);
        return MHD_YES;
    }
    if (*size > 0) {
        size_t taken = *size;
        *size = 0;
        return take_body(request, data, taken) ? MHD_YES : MHD_NO;
    }
    switch (request->state) {
    case REQUEST_READING:
        return r->is_open ? dispatch(request) : MHD_NO;
    case REQUEST_ANSWERED:
        return queue_answer(request);
    case REQUEST_ASKING:
    case REQUEST_WAITING:
    case REQUEST_QUEUED:
        break;
    }
    return MHD_NO;
}

void runtime_requests_complete(void *self, struct MHD_Connection *connection, void **context,
                               enum MHD_RequestTerminationCode code)
{
    (void)connection;
    struct runtime_requests *r = self;
    struct runtime_request *request = *context;
    *context = NULL;
    if (request == NULL) {
        return;
    }
    DL_DELETE(r->requests, request);
    struct runtime_invocation *invocation = request->invocation;
    if (invocation != NULL) {
        invocation->request = NULL;
        request->invocation = NULL;
        if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK && r->is_open) {
            const struct runtime_result result = {.verdict = RUNTIME_UNSENT};
            finish(r, invocation, &result);
        }
    }
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    bytes_clear(&request->body);
    free(request);
}

void runtime_requests_init(struct runtime_requests *r, const struct runtime_events *events,
                           const char *component, struct mhd_loop *mhd)
{
    *r = (struct runtime_requests){
        .events = *events,
        .component = component,
        .mhd = mhd,
        .is_open = true,
        .accepted = runtime_reply_make(slice_of("{\"status\":\"OK\"}\n")),
    };
}

void runtime_requests_close(struct runtime_requests *r)
{
    r->is_open = false;
    while (r->invocations != NULL) {
        runtime_requests_forget(r, r->invocations);
    }
}

void runtime_requests_resume(struct runtime_requests *r)
{
    struct runtime_request *request;
    DL_FOREACH (r->requests, request) {
        if (request->state == REQUEST_WAITING) {
            answer(request, MHD_HTTP_GONE, runtime_reply_make((struct slice){NULL, 0}));
        }
    }
}

void runtime_requests_clear(struct runtime_requests *r)
{
    MHD_destroy_response(TAKE(r->accepted));
}
