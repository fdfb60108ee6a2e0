#include "core/http/http1_connection.h"

#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

/** A connection that was idle for longer is asked whether something has arrived before it is used: the loop
 * may not have had a turn since. */
#define ASK_AFTER_US CLOCK_US_PER_MS

/** As libcurl: routers on the way forget a connection after two minutes and say nothing. */
#define IDLE_MAX_US (118 * CLOCK_US_PER_S)

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void watch(struct http1_connection *c, bool is_watching_writes)
{
    c->is_watching_writes = is_watching_writes;
    (void)uv_poll_start(&c->poll, UV_READABLE | (is_watching_writes ? UV_WRITABLE : 0), on_poll);
}

/** Closes the socket; the struct stays until http1_connection_free. */
static void close_socket(struct http1_connection *c)
{
    if (c->state != HTTP1_CONNECTION_CLOSED) {
        c->state = HTTP1_CONNECTION_CLOSED;
        (void)uv_poll_stop(&c->poll);
        http_stream_close(&c->stream);
    }
}

/** How long the connection may be idle before its next request. */
static int64_t reuse_time_us(const struct http1_parser *p)
{
    if (p->fields.keep_alive_s < 0) {
        return IDLE_MAX_US;
    }
    // The peer's time begins when it has sent the response: leave it a second, or half of less.
    int64_t us = p->fields.keep_alive_s * CLOCK_US_PER_S;
    us = us >= 2 * CLOCK_US_PER_S ? us - CLOCK_US_PER_S : us / 2;
    return us < IDLE_MAX_US ? us : IDLE_MAX_US;
}

/** The exchange has ended with a response, or by `f`. */
static void end(struct http1_connection *c, const struct fault *f)
{
    const struct http1_parser *p = c->parser;
    bool may_reuse = f == NULL && c->state == HTTP1_CONNECTION_RECEIVING && http1_parser_may_reuse(p);
    c->parser = NULL;
    if (may_reuse) {
        c->state = HTTP1_CONNECTION_IDLE;
        c->idle_since_us = clock_now_us();
        c->reuse_until_us = c->idle_since_us + reuse_time_us(p);
        if (c->is_watching_writes) {
            watch(c, false);
        }
    } else {
        close_socket(c);
    }
    c->events->on_end(c->owner, c, f);
}

static void end_broken(struct http1_connection *c, int code)
{
    struct fault f;
    (void)fault_from(&f, FAULT_RETRY, "errno", code, "the connection broke %s: %s",
                     c->parser->has_begun ? "before the response was complete" : "without a response",
                     http_stream_error(&c->stream, code));
    end(c, &f);
}

/** The parser has come to its end. */
static void end_parsed(struct http1_connection *c, bool is_all_used)
{
    if (c->parser->state == HTTP1_BAD) {
        struct fault f;
        (void)fault_set(&f, FAULT_RETRY, "%s", c->parser->why);
        end(c, &f);
        return;
    }
    if (!is_all_used) {
        c->parser->fields.is_close = true;  // the rest belongs to no request
    }
    end(c, NULL);
}

/** Reads once: the loop comes again if there is more. With `is_to_end` it reads all that has arrived. Returns
 * false when the exchange has ended. */
static bool receive(struct http1_connection *c, bool is_to_end)
{
    do {
        ssize_t size = http_stream_read(&c->stream, c->buffer->data, HTTP1_READ_BYTES);
        if (size < 0) {
            if (errno == EAGAIN) {
                return true;
            }
            end_broken(c, errno);
            return false;
        }
        size_t used = 0;
        if (size == 0) {
            http1_parser_end(c->parser);
        } else {
            used = http1_parser_feed(c->parser, slice_make(c->buffer->data, (size_t)size));
        }
        if (c->parser->state >= HTTP1_DONE) {
            end_parsed(c, used == (size_t)size);
            return false;
        }
    } while (is_to_end);
    return true;
}

static void end_send(struct http1_connection *c)
{
    c->state = HTTP1_CONNECTION_RECEIVING;
    watch(c, false);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http1_connection *c = poll->data;
    if (c->state == HTTP1_CONNECTION_IDLE) {
        if (c->stream.ssl != NULL && status == 0 && http_stream_is_quiet(&c->stream)) {
            return;  // a session ticket
        }
        close_socket(c);
        c->events->on_idle_closed(c->owner, c);
        return;
    }
    // libuv reports a reset as a status, and has stopped watching then.
    bool is_broken = status < 0;
    int code = ECONNRESET;
    if (!is_broken && (events & UV_WRITABLE) != 0 && c->state == HTTP1_CONNECTION_SENDING) {
        int failed = http1_output_write(&c->output, &c->stream);
        if (failed != 0) {
            is_broken = true;
            code = failed;
        } else if (http1_output_is_done(&c->output)) {
            end_send(c);
        }
    }
    // A peer that refuses a request may respond and close before it has read all of it.
    if ((is_broken || (events & UV_READABLE) != 0) && receive(c, is_broken) && is_broken) {
        end_broken(c, code);
    }
}

struct http1_connection *http1_connection_new(uv_loop_t *loop, const struct http_stream *stream,
                                              const struct http1_connection_params *params)
{
    struct http1_connection *c = memory_zeroed(1, sizeof(*c));
    c->stream = *stream;
    c->events = params->events;
    c->owner = params->owner;
    c->origin = params->origin;
    c->buffer = params->buffer;
    c->idle_since_us = clock_now_us();
    c->reuse_until_us = INT64_MAX;
    INVARIANT(uv_poll_init(loop, &c->poll, stream->fd) == 0);
    c->poll.data = c;
    uv_unref((uv_handle_t *)&c->poll);
    watch(c, false);
    return c;
}

bool http1_connection_is_usable(struct http1_connection *c, int64_t now_us)
{
    if (now_us >= c->reuse_until_us) {
        return false;
    }
    return now_us - c->idle_since_us < ASK_AFTER_US || http_stream_is_quiet(&c->stream);
}

int http1_connection_send(struct http1_connection *c, const struct http_request *request,
                          struct http1_parser *parser)
{
    INVARIANT(c->state == HTTP1_CONNECTION_IDLE);
    http1_output_begin(&c->output, request);
    int code = http1_output_write(&c->output, &c->stream);
    if (code != 0) {
        return code;
    }
    c->parser = parser;
    if (http1_output_is_done(&c->output)) {
        c->state = HTTP1_CONNECTION_RECEIVING;
    } else {
        c->state = HTTP1_CONNECTION_SENDING;
        watch(c, true);
    }
    return 0;
}

void http1_connection_free(struct http1_connection *c)
{
    close_socket(c);
    uv_close((uv_handle_t *)&c->poll, on_closed);
}
