// Calls in HTTP/1.1 and HTTP/2. Each takes an idle connection to its host, the one used last first, or shares
// one in HTTP/2, or makes one, or waits for one.
//
// A request is sent a second time only when nothing of the first was: an idle connection that the peer has
// closed in the meantime takes no byte. Once a byte is sent, the peer may have carried it out (POST is not
// idempotent, RFC 9110, 9.2.2), and the caller decides.
#include <string.h>
#include <utlist.h>

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/http/http1_pool.h"
#include "core/http/http1_response.h"
#include "core/http/http_deadlines.h"
#include "core/http/http_transport.h"

enum {
    BODY_BYTES_KEPT = 64 * 1024,  // a call's larger buffer is freed, not reused
    RESENDS_MAX = 3,              // of a request that the server has not acted on
};

/** Between the times that a server which takes other requests is sent one that it has refused. */
#define REFUSED_WAIT_US (20 * CLOCK_US_PER_MS)
#define REFUSED_WAIT_MAX_US (2 * CLOCK_US_PER_S)

enum call_state {
    CALL_WAITING,     // for one of the connections, all of which are in use
    CALL_CONNECTING,  // a connection is being made for it
    CALL_RUNNING,     // on a connection of its own
    CALL_SHARING,     // a connection in HTTP/2
    CALL_REFUSED,     // by a server in HTTP/2; it is sent again after a pause
    CALL_FAILED,      // `fault` is reported at the next turn of the loop
};

struct http1_call {
    struct http_call base;
    struct http1_client *client;
    struct http1_origin *origin;
    enum call_state state;
    struct http1_call *next;  // in the list of waiting or unused calls
    struct http1_call *prev;
    struct due_entry due;
    struct http_request request;
    http_on_done on_done;
    void *self;
    int64_t started_us;
    struct http1_connect connect;
    struct http1_connection *connection;
    struct http2_exchange exchange;
    int64_t sent_us;  // when the exchange was begun
    int resends;
    uint32_t refusals;  // by a server that takes other requests
    struct http1_parser parser;
    struct fault fault;
};

struct http1_client {
    struct http_deadlines deadlines;
    struct http1_pool pool;
    struct http1_call *waiting;  // in order
    struct http1_call *unused;
    struct backoff refused_waits;
    int depth;  // of our functions that the loop has called
    bool is_freed;
};

static void release(struct http1_client *c);

static void enter(struct http1_client *c)
{
    c->depth++;
}

/** The client may be gone afterwards. */
static void leave(struct http1_client *c)
{
    if (--c->depth == 0 && c->is_freed) {
        release(c);
    }
}

/** The call is to end with its fault at the next turn of the loop. */
static void fail_soon(struct http1_call *call)
{
    call->state = CALL_FAILED;
    http_deadlines_set(&call->client->deadlines, &call->due, 0);
}

static bool send_on(struct http1_call *call, struct http1_connection *connection)
{
    call->parser.wants_fields = call->request.wants_fields;
    http1_parser_begin(&call->parser, call->request.response_max_bytes, HTTP_BODY_DISCARD_MAX);
    int code = http1_connection_send(connection, &call->request, &call->parser);
    if (code != 0) {
        (void)fault_from(&call->fault, FAULT_RETRY, "errno", code, "nothing could be sent: %s",
                         http_stream_error(&connection->stream, code));
        http1_pool_drop(&call->client->pool, connection);
        return false;
    }
    connection->owner = call;
    call->connection = connection;
    call->state = CALL_RUNNING;
    return true;
}

static bool send_on_idle(struct http1_call *call)
{
    struct http1_connection *connection;
    while ((connection = http1_pool_take(call->origin)) != NULL) {
        if (send_on(call, connection)) {
            return true;
        }
    }
    return false;
}

static void send_on_http2(struct http1_call *call, struct http2_connection *connection)
{
    call->parser.wants_fields = call->request.wants_fields;
    http1_parser_begin(&call->parser, call->request.response_max_bytes, HTTP_BODY_DISCARD_MAX);
    call->state = CALL_SHARING;
    call->sent_us = clock_now_us();
    http2_connection_send(connection, &call->exchange, &call->request, &call->parser);
}

/** Sends the call, or makes a connection for it; false: it must wait. */
static bool start_call(struct http1_call *call)
{
    struct http1_client *c = call->client;
    struct http2_connection *shared = http1_pool_http2(call->origin);
    if (shared != NULL) {
        send_on_http2(call, shared);
        return true;
    }
    if (send_on_idle(call)) {
        return true;
    }
    if (http1_pool_is_coming(call->origin) || !http1_pool_make_room(&c->pool)) {
        return false;
    }
    call->state = CALL_CONNECTING;
    if (!http1_pool_connect(call->origin, &call->connect, &call->fault)) {
        fail_soon(call);
    }
    return true;
}

/** A connection has become idle, or one more may be made. */
static void serve_waiting(struct http1_client *c)
{
    while (c->waiting != NULL && !c->is_freed) {
        struct http1_call *call = c->waiting;
        DL_DELETE(c->waiting, call);
        if (!start_call(call)) {
            DL_PREPEND(c->waiting, call);
            return;
        }
    }
}

static void recycle(struct http1_call *call)
{
    if (call->parser.body.capacity > BODY_BYTES_KEPT) {
        bytes_clear(&call->parser.body);
    }
    call->next = call->client->unused;
    call->client->unused = call;
}

/** Calls on_done, which may free the client: the caller does nothing afterwards but leave(). */
static void finish(struct http1_call *call, struct http_response *r)
{
    http_deadlines_remove(&call->client->deadlines, &call->due);
    r->took_us = clock_now_us() - call->started_us;
    call->on_done(call->self, r);
    recycle(call);
}

static void finish_failed(struct http1_call *call, const struct fault *f, bool is_sent, bool is_timeout)
{
    struct http_response r = {
        .transport = *f, .is_sent = is_sent, .is_timeout = is_timeout, .retry_after_us = -1};
    finish(call, &r);
}

static void finish_response(struct http1_call *call)
{
    char *location CLEANUP(memory_free_pointer) = NULL;
    struct http_response r = http1_response_of(&call->parser, &call->request, &location);
    finish(call, &r);
}

static void on_end(void *owner, struct http1_connection *connection, const struct fault *f)
{
    struct http1_call *call = owner;
    struct http1_client *c = call->client;
    enter(c);
    bool is_sent = connection->output.is_begun;
    bool is_refused = connection->stream.is_refused;
    call->connection = NULL;
    http1_pool_keep(&c->pool, connection);
    serve_waiting(c);  // before on_done, whose next request comes after those that wait
    if (f != NULL) {
        is_sent = is_sent && !is_refused;
        finish_failed(call, f, is_sent, false);
    } else {
        finish_response(call);
    }
    leave(c);
}

/** Starts the call again, or lets it wait. */
static void resend(struct http1_call *call)
{
    // A server that ends its connections again and again, and serves some requests of each, is getting on.
    call->resends += call->exchange.is_served ? 0 : 1;
    if (!start_call(call)) {
        call->state = CALL_WAITING;
        DL_PREPEND(call->client->waiting, call);
    }
}

static int64_t deadline_of(const struct http1_call *call)
{
    return call->started_us + call->request.timeout_us;
}

/** A busy server gets the call again until its time is over, but not at the pace of its refusals. */
static void resend_refused(struct http1_call *call)
{
    struct http1_client *c = call->client;
    if (call->refusals++ == 0) {
        resend(call);
        return;
    }
    int64_t due_us = clock_now_us() + backoff_wait_us(&c->refused_waits, call->refusals - 2);
    int64_t deadline_us = deadline_of(call);
    call->state = CALL_REFUSED;
    http_deadlines_set(&c->deadlines, &call->due, due_us < deadline_us ? due_us : deadline_us);
}

static void on_http2_end(struct http2_exchange *exchange, enum http2_end end, const struct fault *f)
{
    struct http1_call *call = CONTAINER_OF(exchange, struct http1_call, exchange);
    struct http1_client *c = call->client;
    enter(c);
    switch (end) {
    case HTTP2_END_RESPONSE:
        finish_response(call);
        break;
    case HTTP2_END_REFUSED:
    case HTTP2_END_UNSENT:
        if (end == HTTP2_END_REFUSED && exchange->is_served) {
            resend_refused(call);
        } else if (call->resends < RESENDS_MAX) {
            resend(call);
        } else {
            finish_failed(call, f, false, false);
        }
        break;
    case HTTP2_END_DENIED:
    case HTTP2_END_FAILED:
        finish_failed(call, f, end == HTTP2_END_FAILED, false);
        break;
    }
    leave(c);
}

static void on_connected_http2(struct http1_connect *connect, struct http2_connection *connection)
{
    struct http1_call *call = CONTAINER_OF(connect, struct http1_call, connect);
    struct http1_client *c = call->client;
    enter(c);
    send_on_http2(call, connection);
    serve_waiting(c);
    leave(c);
}

static void on_connected(struct http1_connect *connect, struct http1_connection *connection)
{
    struct http1_call *call = CONTAINER_OF(connect, struct http1_call, connect);
    struct http1_client *c = call->client;
    enter(c);
    bool is_sent = send_on(call, connection);
    serve_waiting(c);  // those that waited to learn which HTTP is spoken
    if (!is_sent) {
        finish_failed(call, &call->fault, false, false);
    }
    leave(c);
}

static void on_connect_failed(struct http1_connect *connect, const struct fault *f)
{
    struct http1_call *call = CONTAINER_OF(connect, struct http1_call, connect);
    call->fault = *f;
    fail_soon(call);
}

static void on_room(void *owner)
{
    struct http1_client *c = owner;
    enter(c);
    serve_waiting(c);
    leave(c);
}

static struct http_call *http1_send(void *transport, const struct http_request *request, http_on_done on_done,
                                    void *self)
{
    struct http1_client *c = transport;
    struct http1_call *call = c->unused;
    if (call != NULL) {
        c->unused = call->next;
    } else {
        call = memory_zeroed(1, sizeof(*call));
        call->base.type = &http1_client;
        call->client = c;
    }
    call->origin = http1_pool_origin(&c->pool, request->head);
    call->request = *request;
    call->on_done = on_done;
    call->self = self;
    call->resends = 0;
    call->refusals = 0;
    call->started_us = clock_now_us();
    http_deadlines_set(&c->deadlines, &call->due, deadline_of(call));
    if (c->waiting != NULL || !start_call(call)) {
        call->state = CALL_WAITING;
        DL_APPEND(c->waiting, call);
    }
    return &call->base;
}

/** Takes the call from whatever it waits for. Returns whether a byte of it may have been sent. */
static bool abort_call(struct http1_call *call, bool is_late)
{
    struct http1_client *c = call->client;
    bool is_sent = false;
    switch (call->state) {
    case CALL_WAITING:
        DL_DELETE(c->waiting, call);
        break;
    case CALL_CONNECTING:
        http1_pool_abandon(&call->connect, is_late);
        break;
    case CALL_RUNNING:
        is_sent = call->connection->output.is_begun;
        http1_pool_drop(&c->pool, call->connection);
        call->connection = NULL;
        break;
    case CALL_SHARING:
        is_sent = call->exchange.is_sent;
        http2_connection_cancel(&call->exchange, is_late, call->sent_us);
        break;
    case CALL_REFUSED:
    case CALL_FAILED:
        break;
    }
    return is_sent;
}

static void http1_cancel(struct http_call *base)
{
    struct http1_call *call = CONTAINER_OF(base, struct http1_call, base);
    struct http1_client *c = call->client;
    enter(c);
    (void)abort_call(call, false);
    http_deadlines_remove(&call->client->deadlines, &call->due);
    recycle(call);
    serve_waiting(c);
    leave(c);
}

static const char *late_text(const struct http1_call *call)
{
    switch (call->state) {
    case CALL_WAITING:
        return http1_pool_is_coming(call->origin) ? "no connection in time"
                                                  : "no connection became free in time";
    case CALL_CONNECTING:
        return http1_pool_late_text(&call->connect);
    case CALL_REFUSED:
        return HTTP2_REFUSED_TEXT;
    case CALL_RUNNING:
    case CALL_SHARING:
    case CALL_FAILED:
        break;
    }
    return call->parser.has_begun ? "the response was not complete in time" : "no response in time";
}

static void finish_due(struct http1_call *call)
{
    int64_t deadline_us = deadline_of(call);
    if (call->state == CALL_REFUSED && clock_now_us() < deadline_us) {
        http_deadlines_set(&call->client->deadlines, &call->due, deadline_us);
        resend(call);
        return;
    }
    bool is_timeout = call->state != CALL_FAILED;
    if (is_timeout) {
        (void)fault_set(&call->fault, FAULT_RETRY, "%s", late_text(call));
    }
    bool is_sent = abort_call(call, is_timeout);
    finish_failed(call, &call->fault, is_sent, is_timeout);
}

static void on_time(struct http_deadlines *deadlines)
{
    struct http1_client *c = CONTAINER_OF(deadlines, struct http1_client, deadlines);
    enter(c);
    int64_t now_us = clock_now_us();
    uint64_t later = deadlines->heap.added_count;  // calls that on_done makes have their turn later
    struct due_entry *first = due_heap_first(&deadlines->heap);
    while (first != NULL && first->due_us <= now_us && first->number < later && !c->is_freed) {
        finish_due(CONTAINER_OF(first, struct http1_call, due));
        first = due_heap_first(&deadlines->heap);
    }
    if (!c->is_freed) {
        serve_waiting(c);  // with what late calls gave back, once those that are late themselves are gone
        http_deadlines_arm(deadlines);
    }
    leave(c);
}

static void *http1_open(uv_loop_t *loop, const struct http_client_params *params)
{
    static const struct http1_pool_events EVENTS = {
        on_connected, on_connected_http2, on_connect_failed, on_room, on_end, on_http2_end};
    struct http1_client *c = memory_zeroed(1, sizeof(*c));
    http1_pool_init(&c->pool, loop, params, &EVENTS, c);
    c->refused_waits = backoff_make(REFUSED_WAIT_US, REFUSED_WAIT_MAX_US);
    http_deadlines_init(&c->deadlines, loop, on_time);
    return c;
}

static void free_call(struct http1_call *call)
{
    http1_parser_clear(&call->parser);
    free(call);
}

static void on_over(struct http_deadlines *deadlines)
{
    free(CONTAINER_OF(deadlines, struct http1_client, deadlines));
}

static void release(struct http1_client *c)
{
    for (struct due_entry *first; (first = due_heap_first(&c->deadlines.heap)) != NULL;) {
        struct http1_call *call = CONTAINER_OF(first, struct http1_call, due);
        due_heap_remove(&c->deadlines.heap, first);
        (void)abort_call(call, false);
        free_call(call);
    }
    for (struct http1_call *call = c->unused, *next; call != NULL; call = next) {
        next = call->next;
        free_call(call);
    }
    http1_pool_clear(&c->pool);
    http_deadlines_close(&c->deadlines, on_over);
}

static void http1_close(void *transport)
{
    struct http1_client *c = transport;
    if (c == NULL) {
        return;
    }
    c->is_freed = true;
    enter(c);
    leave(c);
}

const struct http_transport_type http1_client = {
    .open = http1_open,
    .send = http1_send,
    .cancel = http1_cancel,
    .close = http1_close,
};
