// Source: RFC 9113 (HTTP/2). A server that will not act on a request says so (8.7): REFUSED_STREAM, or a
// GOAWAY whose last stream is an earlier one. Such a request may be sent again; after any other end it may
// have been carried out.
#include "core/http/http2_connection.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <string.h>
#include <sys/uio.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

enum {
    OUT_BYTES = 64 * 1024,  // written at once
    OUT_BYTES_KEPT = 256 * 1024,
};

/** As in HTTP/1.1: routers on the way forget a connection after two minutes and say nothing. */
#define IDLE_MAX_US (118 * CLOCK_US_PER_S)

static void on_poll(uv_poll_t *poll, int status, int events);
static void flush(struct http2_connection *c);
static size_t receive(struct http2_connection *c);

static void on_closed(uv_handle_t *handle)
{
    struct http2_connection *c = handle->data;
    if (--c->handles == 0) {
        bytes_clear(&c->out);
        free(c);
    }
}

static void release(struct http2_connection *c)
{
    http2_session_clear(&c->session);
    uv_close((uv_handle_t *)&c->poll, on_closed);  // before its descriptor
    uv_close((uv_handle_t *)&c->prepare, on_closed);
    http_stream_close(&c->stream);
}

static void watch(struct http2_connection *c, bool is_watching_writes)
{
    c->is_watching_writes = is_watching_writes;
    (void)uv_poll_start(&c->poll, UV_READABLE | (is_watching_writes ? UV_WRITABLE : 0), on_poll);
}

/** A connection never goes back to an earlier state. */
static void enter(struct http2_connection *c, enum http2_connection_state state)
{
    c->state = state > c->state ? state : c->state;
}

static bool is_broken(const struct http2_connection *c)
{
    return c->state == HTTP2_CONNECTION_BROKEN;
}

static bool is_draining(const struct http2_connection *c)
{
    return c->state >= HTTP2_CONNECTION_DRAINING;
}

static enum http2_end judge(struct http2_connection *c, struct http2_exchange *e, struct fault *f)
{
    e->is_served = c->has_served;
    if (e->is_complete) {
        c->has_served = true;
        http1_parser_end(e->parser);
        return HTTP2_END_RESPONSE;
    }
    if (e->error_code == NGHTTP2_REFUSED_STREAM || !e->is_sent) {
        (void)fault_set(f, FAULT_RETRY, "%s", HTTP2_REFUSED_TEXT);
        return is_draining(c) ? HTTP2_END_UNSENT : HTTP2_END_REFUSED;
    }
    if (is_broken(c)) {
        *f = c->fault;
        return c->stream.is_refused ? HTTP2_END_DENIED : HTTP2_END_FAILED;
    }
    (void)fault_from(f, FAULT_RETRY, "nghttp2", (int)e->error_code, "%s%s",
                     e->why != NULL         ? e->why
                     : e->parser->has_begun ? "the server ended the stream before the response was complete: "
                                            : "the server ended the stream without a response: ",
                     e->why != NULL ? "" : nghttp2_http2_strerror(e->error_code));
    return HTTP2_END_FAILED;
}

/** Reports what has ended; c may be gone afterwards. */
static void report(struct http2_connection *c)
{
    if (c->is_reporting || c->is_freed) {
        return;
    }
    c->is_reporting = true;
    bool has_ended = c->session.ended != NULL;
    while (c->session.ended != NULL && !c->is_freed) {
        struct http2_exchange *e = c->session.ended;
        struct fault f;
        DL_DELETE(c->session.ended, e);
        enum http2_end how = judge(c, e, &f);
        e->session = NULL;
        c->idle_since_us = clock_now_us();
        c->params.events->on_end(e, how, how == HTTP2_END_RESPONSE ? NULL : &f);
    }
    if (!c->is_freed && has_ended) {
        c->params.events->on_room(c->params.owner);
    }
    c->is_reporting = false;
    if (c->is_freed) {
        release(c);
        return;
    }
    bool is_over = c->session.running == NULL && is_draining(c);
    if (is_over) {
        c->params.events->on_over(c->params.owner, c);
    }
}

/** Everything that runs ends. */
static void break_off(struct http2_connection *c)
{
    enter(c, HTTP2_CONNECTION_BROKEN);
    (void)uv_poll_stop(&c->poll);
    http2_session_end_all(&c->session);
}

static void break_with_errno(struct http2_connection *c, int code)
{
    (void)fault_from(&c->fault, FAULT_RETRY, "errno", code, "the connection broke: %s",
                     http_stream_error(&c->stream, code));
    break_off(c);
}

static void break_with_nghttp2(struct http2_connection *c, const char *what, int code)
{
    (void)fault_from(&c->fault, FAULT_RETRY, "nghttp2", code, "%s: %s", what, nghttp2_strerror(code));
    break_off(c);
}

/** A write has failed: what the peer sent before it closed the connection may end requests. */
static void break_after_reading(struct http2_connection *c, int code)
{
    enter(c, HTTP2_CONNECTION_READ_ONLY);
    while (!is_broken(c) && receive(c) > 0) {}
    if (!is_broken(c)) {
        break_with_errno(c, code);
    }
}

static void flush(struct http2_connection *c)
{
    while (c->state < HTTP2_CONNECTION_READ_ONLY) {
        int code = http2_session_collect(&c->session, &c->out, OUT_BYTES);
        if (code != 0) {
            break_with_nghttp2(c, "HTTP/2", code);
            return;
        }
        if (c->out.size == 0) {
            break;
        }
        const struct iovec part = {c->out.data + c->out_at, c->out.size - c->out_at};
        ssize_t size = http_stream_write(&c->stream, &part, 1);
        if (size < 0) {
            break_after_reading(c, errno);
            return;
        }
        c->out_at += (size_t)size;
        if (c->out_at < c->out.size) {
            if (size == 0) {
                break;
            }
            continue;
        }
        c->out_at = 0;
        bytes_erase(&c->out);
        if (c->out.capacity > OUT_BYTES_KEPT) {
            bytes_clear(&c->out);
        }
    }
    bool is_blocked = c->out.size > 0;
    if (!is_broken(c) && is_blocked != c->is_watching_writes) {
        watch(c, is_blocked);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct http2_connection *c = prepare->data;
    (void)uv_prepare_stop(prepare);
    flush(c);
    report(c);
}

static void flush_soon(struct http2_connection *c)
{
    (void)uv_prepare_start(&c->prepare, on_prepare);
}

/** Feeds what has arrived. Returns how much; 0: nothing, or the connection is broken now. */
static size_t receive(struct http2_connection *c)
{
    ssize_t size = http_stream_read(&c->stream, c->params.buffer->data, HTTP2_READ_BYTES);
    if (size < 0) {
        if (errno != EAGAIN) {
            break_with_errno(c, errno);
        }
        return 0;
    }
    if (size == 0) {
        (void)fault_set(&c->fault, FAULT_RETRY, "the connection was closed without a response");
        break_off(c);
        return 0;
    }
    bool is_first = c->read_us == 0;
    c->read_us = clock_now_us();
    if (is_first && size >= 6 && memcmp(c->params.buffer->data, "HTTP/1", 6) == 0) {
        (void)fault_set(&c->fault, FAULT_RETRY, "the server does not speak HTTP/2, it responds in HTTP/1");
        break_off(c);
        return 0;
    }
    int code = http2_session_feed(&c->session, slice_make(c->params.buffer->data, (size_t)size));
    if (c->session.is_going_away) {
        enter(c, HTTP2_CONNECTION_DRAINING);
    }
    if (code != 0) {
        flush(c);  // tells the peer
        break_with_nghttp2(c, "the server broke HTTP/2", code);
        return 0;
    }
    return (size_t)size;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http2_connection *c = poll->data;
    if (status < 0 || (events & UV_READABLE) != 0) {
        while (!is_broken(c) && receive(c) == HTTP2_READ_BYTES) {}
    }
    flush(c);
    if (!is_broken(c) && http2_session_is_over(&c->session)) {
        (void)fault_set(&c->fault, FAULT_RETRY, "the server broke HTTP/2");  // or has nothing more to do
        break_off(c);
    }
    if (status < 0 && !is_broken(c)) {
        break_after_reading(c, ECONNRESET);
    }
    report(c);
}

struct http2_connection *http2_connection_new(uv_loop_t *loop, const struct http_stream *stream,
                                              const struct http2_connection_params *params)
{
    struct http2_connection *c = memory_zeroed(1, sizeof(*c));
    c->params = *params;
    c->stream = *stream;
    http2_session_init(&c->session);
    c->out.is_secret = true;
    c->idle_since_us = clock_now_us();
    INVARIANT(uv_poll_init(loop, &c->poll, stream->fd) == 0);
    (void)uv_prepare_init(loop, &c->prepare);
    c->poll.data = c->prepare.data = c;
    c->handles = 2;
    uv_unref((uv_handle_t *)&c->poll);
    uv_unref((uv_handle_t *)&c->prepare);
    watch(c, false);
    flush_soon(c);
    return c;
}

uint32_t http2_connection_limit(const struct http2_connection *c)
{
    uint32_t limit = http2_session_limit(&c->session);
    return c->read_us == 0 && limit > c->params.streams_expected ? c->params.streams_expected : limit;
}

size_t http2_connection_room(const struct http2_connection *c, int64_t now_us)
{
    bool is_stale = c->session.running == NULL && now_us - c->idle_since_us >= IDLE_MAX_US;
    if (is_draining(c) || c->is_freed || is_stale ||
        nghttp2_session_check_request_allowed(c->session.frames) == 0) {
        return 0;
    }
    uint32_t limit = http2_connection_limit(c);
    return c->session.running_count < limit ? limit - c->session.running_count : 0;
}

void http2_connection_send(struct http2_connection *c, struct http2_exchange *e,
                           const struct http_request *request, struct http1_parser *parser)
{
    http2_session_send(&c->session, e, request, parser);
    flush_soon(c);
}

void http2_connection_cancel(struct http2_exchange *e, bool is_late, int64_t since_us)
{
    if (e->session == NULL) {
        return;
    }
    struct http2_connection *c = CONTAINER_OF(e->session, struct http2_connection, session);
    http2_session_cancel(e);
    c->idle_since_us = clock_now_us();
    if (is_late && c->read_us < since_us) {
        enter(c, HTTP2_CONNECTION_DRAINING);  // the way to the server may be gone
    }
    flush_soon(c);
}

bool http2_connection_is_idle(const struct http2_connection *c)
{
    return c->session.running == NULL && c->session.ended == NULL;
}

void http2_connection_free(struct http2_connection *c)
{
    c->is_freed = true;
    if (!c->is_reporting) {
        release(c);
    }
}
