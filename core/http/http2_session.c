#include "core/http/http2_session.h"

#include <string.h>
#include <utlist.h>

#include "core/base/memory.h"
#include "core/http/http_head.h"

enum {
    STREAM_WINDOW = 1024 * 1024,
    CONNECTION_WINDOW = 16 * 1024 * 1024,
};

static struct http2_exchange *exchange_of(nghttp2_session *frames, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(frames, stream_id);
}

static void reset_stream(struct http2_session *s, struct http2_exchange *e, uint32_t code, const char *why)
{
    e->why = why;
    (void)nghttp2_submit_rst_stream(s->frames, NGHTTP2_FLAG_NONE, e->stream_id, code);
}

static int on_begin_headers(nghttp2_session *frames, const nghttp2_frame *frame, void *self)
{
    (void)self;
    struct http2_exchange *e = exchange_of(frames, frame->hd.stream_id);
    if (e != NULL && !e->is_head_ended) {  // what a 1xx said is forgotten
        http1_parser_begin(e->parser, e->request->response_max_bytes, HTTP_BODY_DISCARD_MAX);
        e->parser->has_begun = true;
    }
    return 0;
}

// NOLINTNEXTLINE(readability-function-size): nghttp2's signature
static int on_header(nghttp2_session *frames, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *self)
{
    (void)flags;
    struct http2_session *s = self;
    struct http2_exchange *e = exchange_of(frames, frame->hd.stream_id);
    if (e == NULL || e->why != NULL) {
        return 0;
    }
    e->head_bytes += name_size + value_size;
    if (e->head_bytes > HTTP1_HEAD_BYTES_MAX) {
        reset_stream(s, e, NGHTTP2_CANCEL, "the response's headers are larger than 64 KiB");
    } else if (name_size == 7 && memcmp(name, ":status", 7) == 0) {
        e->parser->fields.status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
    } else if (!e->is_head_ended) {
        const char *why = http1_fields_take_pair(&e->parser->fields, slice_make(name, name_size),
                                                 slice_make(value, value_size));
        if (why != NULL) {
            reset_stream(s, e, NGHTTP2_PROTOCOL_ERROR, why);
        }
    }
    return 0;
}

/** The response is complete. If the request is not, the server has decided without it. */
static void complete(struct http2_session *s, struct http2_exchange *e)
{
    e->is_complete = true;
    if (e->body_at < e->request->body.size && e->request->head->has_content) {
        reset_stream(s, e, NGHTTP2_CANCEL, NULL);
    }
}

static int on_frame(nghttp2_session *frames, const nghttp2_frame *frame, void *self)
{
    struct http2_session *s = self;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        s->is_going_away = true;
        return 0;
    }
    struct http2_exchange *e = exchange_of(frames, frame->hd.stream_id);
    if (e == NULL || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && !e->is_head_ended && e->parser->fields.status >= 200) {
        e->is_head_ended = true;
        e->parser->state = HTTP1_BODY_TO_END;
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && e->is_head_ended) {
        complete(s, e);
    }
    return 0;
}

static int on_data(nghttp2_session *frames, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t size, void *self)
{
    (void)flags;
    struct http2_session *s = self;
    struct http2_exchange *e = exchange_of(frames, stream_id);
    if (e != NULL && e->parser->state == HTTP1_BODY_TO_END) {
        (void)http1_parser_feed(e->parser, slice_make(data, size));
        if (e->parser->state == HTTP1_DONE) {  // cut off
            e->is_complete = true;
            reset_stream(s, e, NGHTTP2_CANCEL, NULL);
        }
    }
    return 0;
}

static int on_sent(nghttp2_session *frames, const nghttp2_frame *frame, void *self)
{
    (void)self;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct http2_exchange *e = exchange_of(frames, frame->hd.stream_id);
        if (e != NULL) {
            e->is_sent = true;
        }
    }
    return 0;
}

/** Moves it to those that are to be reported. */
static void end(struct http2_session *s, struct http2_exchange *e, uint32_t error_code)
{
    e->error_code = error_code;
    e->is_ended = true;
    DL_DELETE(s->running, e);
    s->running_count--;
    DL_APPEND(s->ended, e);
}

static int on_stream_closed(nghttp2_session *frames, int32_t stream_id, uint32_t error_code, void *self)
{
    struct http2_exchange *e = exchange_of(frames, stream_id);
    if (e != NULL) {
        (void)nghttp2_session_set_stream_user_data(frames, stream_id, NULL);
        end(self, e, error_code);
    }
    return 0;
}

/** nghttp2's copies of requests and responses may have secrets: what it gives back is overwritten. */
static void *new_memory(size_t size, void *self)
{
    (void)self;
    return memory_new(size);
}

static void *new_zeroed(size_t count, size_t size, void *self)
{
    (void)self;
    return memory_zeroed(count, size);
}

static void free_memory(void *memory, void *self)
{
    (void)self;
    memory_wipe(memory);
}

static void *resize_memory(void *old, size_t size, void *self)
{
    (void)self;
    return memory_resize_wiped(old, size);
}

static nghttp2_session *new_frames(struct http2_session *s)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *frames = NULL;
    INVARIANT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    nghttp2_mem memory = {NULL, new_memory, free_memory, new_zeroed, resize_memory};
    INVARIANT(nghttp2_session_client_new3(&frames, callbacks, s, NULL, &memory) == 0);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP1_HEAD_BYTES_MAX},
    };
    INVARIANT(nghttp2_submit_settings(frames, NGHTTP2_FLAG_NONE, settings, COUNT_OF(settings)) == 0);
    INVARIANT(nghttp2_session_set_local_window_size(frames, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) == 0);
    return frames;
}

void http2_session_init(struct http2_session *s)
{
    *s = (struct http2_session){.frames = NULL};
    s->frames = new_frames(s);
}

void http2_session_clear(struct http2_session *s)
{
    nghttp2_session_del(s->frames);
    http2_scratch_clear(&s->scratch);
    s->frames = NULL;
}

// NOLINTNEXTLINE(readability-function-size): nghttp2's signature
static ssize_t read_body(nghttp2_session *frames, int32_t stream_id, uint8_t *buffer, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *self)
{
    (void)frames;
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

void http2_session_send(struct http2_session *s, struct http2_exchange *e, const struct http_request *request,
                        struct http1_parser *parser)
{
    *e = (struct http2_exchange){.session = s, .request = request, .parser = parser};
    size_t count = 0;
    const nghttp2_nv *fields = http2_request_fields(request, &s->scratch, &count);
    nghttp2_data_provider body = {.source = {.ptr = e}, .read_callback = read_body};
    bool has_body = request->head->has_content && request->body.size > 0;
    e->stream_id = nghttp2_submit_request(s->frames, NULL, fields, count, has_body ? &body : NULL, e);
    INVARIANT(e->stream_id > 0);
    DL_APPEND(s->running, e);
    s->running_count++;
}

void http2_session_cancel(struct http2_exchange *e)
{
    struct http2_session *s = e->session;
    e->session = NULL;
    if (e->is_ended) {
        DL_DELETE(s->ended, e);
        return;
    }
    (void)nghttp2_session_set_stream_user_data(s->frames, e->stream_id, NULL);
    (void)nghttp2_submit_rst_stream(s->frames, NGHTTP2_FLAG_NONE, e->stream_id, NGHTTP2_CANCEL);
    DL_DELETE(s->running, e);
    s->running_count--;
}

void http2_session_end_all(struct http2_session *s)
{
    while (s->running != NULL) {
        struct http2_exchange *e = s->running;
        (void)nghttp2_session_set_stream_user_data(s->frames, e->stream_id, NULL);
        end(s, e, NGHTTP2_INTERNAL_ERROR);
    }
}

int http2_session_collect(struct http2_session *s, struct bytes *out, size_t enough)
{
    while (out->size < enough) {
        const uint8_t *data = NULL;
        ssize_t size = nghttp2_session_mem_send(s->frames, &data);
        if (size <= 0) {
            return (int)size;
        }
        bytes_append(out, data, (size_t)size);
    }
    return 0;
}

int http2_session_feed(struct http2_session *s, struct slice in)
{
    ssize_t used = nghttp2_session_mem_recv(s->frames, in.data, in.size);
    return used < 0 ? (int)used : 0;
}

bool http2_session_is_over(const struct http2_session *s)
{
    return nghttp2_session_want_read(s->frames) == 0 && nghttp2_session_want_write(s->frames) == 0;
}

uint32_t http2_session_limit(const struct http2_session *s)
{
    return nghttp2_session_get_remote_settings(s->frames, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}
