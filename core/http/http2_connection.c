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
#include "core/http/http_head.h"

enum {
    STREAM_WINDOW = 1024 * 1024,
    CONNECTION_WINDOW = 16 * 1024 * 1024,
    OUT_BYTES = 64 * 1024,  // written at once
    OUT_BYTES_KEPT = 256 * 1024,
};

/** As in HTTP/1.1: routers on the way forget a connection after two minutes and say nothing. */
#define IDLE_MAX_US (118 * CLOCK_US_PER_S)

static void on_poll(uv_poll_t *poll, int status, int events);
static void flush(struct http2_connection *c);

static void on_closed(uv_handle_t *handle)
{
    struct http2_connection *c = handle->data;
    if (--c->handles == 0) {
        bytes_clear(&c->out);
        http2_scratch_clear(&c->scratch);
        free(c);
    }
}

static void release(struct http2_connection *c)
{
    nghttp2_session_del(c->session);
    c->session = NULL;
    http_stream_close(&c->stream);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    uv_close((uv_handle_t *)&c->prepare, on_closed);
}

static void watch(struct http2_connection *c, bool is_watching_writes)
{
    c->is_watching_writes = is_watching_writes;
    (void)uv_poll_start(&c->poll, UV_READABLE | (is_watching_writes ? UV_WRITABLE : 0), on_poll);
}

static struct http2_exchange *exchange_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static void reset(struct http2_connection *c, struct http2_exchange *e, uint32_t code, const char *why)
{
    e->why = why;
    (void)nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, e->stream_id, code);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    (void)self;
    struct http2_exchange *e = exchange_of(session, frame->hd.stream_id);
    if (e != NULL && !e->is_head_ended) {  // what a 1xx said is forgotten
        http1_parser_begin(e->parser, e->request->response_max_bytes, HTTP_BODY_DISCARD_MAX);
        e->parser->has_begun = true;
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *self)
{
    (void)flags;
    struct http2_connection *c = self;
    struct http2_exchange *e = exchange_of(session, frame->hd.stream_id);
    if (e == NULL || e->why != NULL) {
        return 0;
    }
    e->head_bytes += name_size + value_size;
    if (e->head_bytes > HTTP1_HEAD_BYTES_MAX) {
        reset(c, e, NGHTTP2_CANCEL, "the response's headers are larger than 64 KiB");
    } else if (name_size == 7 && memcmp(name, ":status", 7) == 0) {
        e->parser->fields.status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
    } else if (!e->is_head_ended) {
        const char *why = http1_fields_take_pair(&e->parser->fields, slice_make(name, name_size),
                                                 slice_make(value, value_size));
        if (why != NULL) {
            reset(c, e, NGHTTP2_PROTOCOL_ERROR, why);
        }
    }
    return 0;
}

/** The response is complete. If the request is not, the server has decided without it. */
static void complete(struct http2_connection *c, struct http2_exchange *e)
{
    e->is_complete = true;
    if (e->body_at < e->request->body.size && e->request->head->has_content) {
        reset(c, e, NGHTTP2_CANCEL, NULL);
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct http2_connection *c = self;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        c->is_draining = true;
        return 0;
    }
    struct http2_exchange *e = exchange_of(session, frame->hd.stream_id);
    if (e == NULL || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && !e->is_head_ended && e->parser->fields.status >= 200) {
        e->is_head_ended = true;
        e->parser->state = HTTP1_BODY_TO_END;
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && e->is_head_ended) {
        complete(c, e);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t size, void *self)
{
    (void)flags;
    struct http2_connection *c = self;
    struct http2_exchange *e = exchange_of(session, stream_id);
    if (e != NULL && e->parser->state == HTTP1_BODY_TO_END) {
        (void)http1_parser_feed(e->parser, slice_make(data, size));
        if (e->parser->state == HTTP1_DONE) {  // cut off
            e->is_complete = true;
            reset(c, e, NGHTTP2_CANCEL, NULL);
        }
    }
    return 0;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    (void)self;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct http2_exchange *e = exchange_of(session, frame->hd.stream_id);
        if (e != NULL) {
            e->is_sent = true;
        }
    }
    return 0;
}

/** Moves it to those that are to be reported. */
static void end(struct http2_connection *c, struct http2_exchange *e, uint32_t error_code)
{
    e->error_code = error_code;
    e->is_ended = true;
    DL_DELETE(c->running, e);
    c->running_count--;
    DL_APPEND(c->ended, e);
}

static int on_stream_closed(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *self)
{
    struct http2_exchange *e = exchange_of(session, stream_id);
    if (e != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
        end(self, e, error_code);
    }
    return 0;
}

static nghttp2_session *new_session(struct http2_connection *c)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    INVARIANT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    INVARIANT(nghttp2_session_client_new(&session, callbacks, c) == 0);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP1_HEAD_BYTES_MAX},
    };
    INVARIANT(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, COUNT_OF(settings)) == 0);
    INVARIANT(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) == 0);
    return session;
}

static enum http2_end judge(struct http2_exchange *e, struct fault *f)
{
    struct http2_connection *c = e->connection;
    e->is_served = c->has_served;
    if (e->is_complete) {
        c->has_served = true;
        http1_parser_end(e->parser);
        return HTTP2_END_RESPONSE;
    }
    if (e->error_code == NGHTTP2_REFUSED_STREAM || !e->is_sent) {
        (void)fault_set(f, FAULT_RETRY, "the server took no more requests on the connection");
        return HTTP2_END_UNSENT;
    }
    if (c->is_broken) {
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
    bool has_ended = c->ended != NULL;
    while (c->ended != NULL && !c->is_freed) {
        struct http2_exchange *e = c->ended;
        struct fault f;
        DL_DELETE(c->ended, e);
        enum http2_end how = judge(e, &f);
        e->connection = NULL;
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
    bool is_over = c->running == NULL && (c->is_broken || c->is_draining);
    if (is_over) {
        c->params.events->on_over(c->params.owner, c);
    }
}

/** Everything that runs ends. */
static void break_off(struct http2_connection *c)
{
    c->is_broken = c->is_draining = true;
    (void)uv_poll_stop(&c->poll);
    while (c->running != NULL) {
        struct http2_exchange *e = c->running;
        (void)nghttp2_session_set_stream_user_data(c->session, e->stream_id, NULL);
        end(c, e, NGHTTP2_INTERNAL_ERROR);
    }
}

static void break_with_errno(struct http2_connection *c, int code)
{
    (void)fault_from(&c->fault, FAULT_RETRY, "errno", code, "the connection broke: %s",
                     http_stream_error(&c->stream, code));
    break_off(c);
}

/** Takes frames from the session until enough is to be written. */
static bool collect(struct http2_connection *c)
{
    while (c->out.size < OUT_BYTES) {
        const uint8_t *data = NULL;
        ssize_t size = nghttp2_session_mem_send(c->session, &data);
        if (size < 0) {
            (void)fault_from(&c->fault, FAULT_RETRY, "nghttp2", (int)size, "HTTP/2: %s",
                             nghttp2_strerror((int)size));
            return false;
        }
        if (size == 0) {
            break;
        }
        bytes_append(&c->out, data, (size_t)size);
    }
    return true;
}

static void flush(struct http2_connection *c)
{
    while (!c->is_broken) {
        if (!collect(c)) {
            break_off(c);
            return;
        }
        if (c->out.size == 0) {
            break;
        }
        const struct iovec part = {c->out.data + c->out_at, c->out.size - c->out_at};
        ssize_t size = http_stream_write(&c->stream, &part, 1);
        if (size < 0) {
            break_with_errno(c, errno);
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
        bytes_reset(&c->out);
        if (c->out.capacity > OUT_BYTES_KEPT) {
            bytes_clear(&c->out);
        }
    }
    bool is_blocked = c->out.size > 0;
    if (!c->is_broken && is_blocked != c->is_watching_writes) {
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

/** Feeds what has arrived. Returns whether more may be there. */
static bool receive(struct http2_connection *c)
{
    ssize_t size = http_stream_read(&c->stream, c->params.buffer->data, HTTP2_READ_BYTES);
    if (size < 0) {
        if (errno != EAGAIN) {
            break_with_errno(c, errno);
        }
        return false;
    }
    if (size == 0) {
        (void)fault_set(&c->fault, FAULT_RETRY, "the connection was closed without a response");
        break_off(c);
        return false;
    }
    bool is_first = c->read_us == 0;
    c->read_us = clock_now_us();
    if (is_first && size >= 6 && memcmp(c->params.buffer->data, "HTTP/1", 6) == 0) {
        (void)fault_set(&c->fault, FAULT_RETRY, "the server does not speak HTTP/2, it responds in HTTP/1");
        break_off(c);
        return false;
    }
    ssize_t used = nghttp2_session_mem_recv(c->session, c->params.buffer->data, (size_t)size);
    if (used < 0) {
        (void)fault_from(&c->fault, FAULT_RETRY, "nghttp2", (int)used, "the server broke HTTP/2: %s",
                         nghttp2_strerror((int)used));
        flush(c);  // tells the peer
        break_off(c);
        return false;
    }
    return (size_t)size == HTTP2_READ_BYTES;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http2_connection *c = poll->data;
    if (status < 0 || (events & UV_READABLE) != 0) {
        while (!c->is_broken && receive(c)) {}
    }
    flush(c);
    if (!c->is_broken && nghttp2_session_want_read(c->session) == 0 &&
        nghttp2_session_want_write(c->session) == 0) {
        (void)fault_set(&c->fault, FAULT_RETRY, "the server broke HTTP/2");  // or has nothing more to do
        break_off(c);
    }
    if (status < 0 && !c->is_broken) {
        break_with_errno(c, ECONNRESET);
    }
    report(c);
}

struct http2_connection *http2_connection_new(uv_loop_t *loop, const struct http_stream *stream,
                                              const struct http2_connection_params *params)
{
    struct http2_connection *c = memory_zeroed(1, sizeof(*c));
    c->params = *params;
    c->stream = *stream;
    c->session = new_session(c);
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
    uint32_t limit = nghttp2_session_get_remote_settings(c->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return c->read_us == 0 && limit > c->params.streams_expected ? c->params.streams_expected : limit;
}

size_t http2_connection_room(const struct http2_connection *c, int64_t now_us)
{
    bool is_stale = c->running == NULL && now_us - c->idle_since_us >= IDLE_MAX_US;
    if (c->is_draining || c->is_freed || is_stale || nghttp2_session_check_request_allowed(c->session) == 0) {
        return 0;
    }
    uint32_t limit = http2_connection_limit(c);
    return c->running_count < limit ? limit - c->running_count : 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *buffer, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *self)
{
    (void)session;
    (void)stream_id;
    (void)self;
    struct http2_exchange *e = source->ptr;
    size_t left = e->request->body.size - e->body_at;
    size_t taken = left < size ? left : size;
    memcpy(buffer, e->request->body.data + e->body_at, taken);
    e->body_at += taken;
    if (taken == left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)taken;
}

void http2_connection_send(struct http2_connection *c, struct http2_exchange *e,
                           const struct http_request *request, struct http1_parser *parser)
{
    *e = (struct http2_exchange){.connection = c, .request = request, .parser = parser};
    size_t count = 0;
    const nghttp2_nv *fields = http2_request_fields(request, &c->scratch, &count);
    nghttp2_data_provider body = {.source = {.ptr = e}, .read_callback = read_body};
    bool has_body = request->head->has_content && request->body.size > 0;
    e->stream_id = nghttp2_submit_request(c->session, NULL, fields, count, has_body ? &body : NULL, e);
    INVARIANT(e->stream_id > 0);
    DL_APPEND(c->running, e);
    c->running_count++;
    flush_soon(c);
}

void http2_connection_cancel(struct http2_exchange *e, bool is_late, int64_t since_us)
{
    struct http2_connection *c = e->connection;
    if (c == NULL) {
        return;
    }
    e->connection = NULL;
    if (e->is_ended) {
        DL_DELETE(c->ended, e);
        return;
    }
    (void)nghttp2_session_set_stream_user_data(c->session, e->stream_id, NULL);
    (void)nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, e->stream_id, NGHTTP2_CANCEL);
    DL_DELETE(c->running, e);
    c->running_count--;
    c->idle_since_us = clock_now_us();
    if (is_late && c->read_us < since_us) {
        c->is_draining = true;  // the way to the server may be gone
    }
    flush_soon(c);
}

void http2_connection_free(struct http2_connection *c)
{
    c->is_freed = true;
    if (!c->is_reporting) {
        release(c);
    }
}
