#include "core/http/http_establish.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/uio.h>

#include "core/base/memory.h"
#include "core/http/http1_parser.h"

enum { PROXY_BODY_MAX = 512 };

enum establish_state {
    ESTABLISH_DIALING,
    ESTABLISH_ASKING,     // CONNECT is sent to the proxy
    ESTABLISH_TUNNEL,     // the proxy's response is read
    ESTABLISH_HANDSHAKE,  // TLS
};

struct http_establish {
    struct http_establish_params params;
    enum establish_state state;
    struct http_dial *dial;
    uv_poll_t poll;
    bool has_poll;
    struct http_stream stream;
    struct bytes request;  // CONNECT
    size_t written;
    struct http1_parser parser;  // of the proxy's response
    http_on_established on_established;
    void *self;
};

static void free_establish(struct http_establish *e)
{
    bytes_wipe(&e->request);
    http1_parser_clear(&e->parser);
    free(e);
}

static void on_closed(uv_handle_t *handle)
{
    free_establish(handle->data);
}

/** Frees all but the stream, which the caller closes afterwards: a poll handle ends before its descriptor. */
static void release(struct http_establish *e)
{
    if (e->has_poll) {
        uv_close((uv_handle_t *)&e->poll, on_closed);
    } else {
        free_establish(e);
    }
}

static void fail(struct http_establish *e, const struct fault *f)
{
    http_on_established on_established = e->on_established;
    void *self = e->self;
    struct fault copy = *f;
    struct http_stream stream = e->stream;
    release(e);
    http_stream_close(&stream);
    on_established(self, NULL, false, &copy);
}

/** Says where it failed. */
static void fail_tls(struct http_establish *e, int code)
{
    struct fault f;
    http_tls_explain(e->params.tls, e->stream.ssl, code, e->params.host, &f);
    (void)fault_context(&f, "%.100s port %d", e->params.host, e->params.port);
    fail(e, &f);
}

static void finish(struct http_establish *e)
{
    struct fault f;
    const unsigned char *protocol = NULL;
    unsigned size = 0;
    if (e->stream.ssl != NULL) {
        SSL_get0_alpn_selected(e->stream.ssl, &protocol, &size);
    }
    bool is_http2 = e->params.version == HTTP_VERSION_2;
    if (e->stream.ssl != NULL) {
        is_http2 = size == 2 && memcmp(protocol, "h2", 2) == 0;
        if (!is_http2 && e->params.version == HTTP_VERSION_2) {
            (void)fault_set(&f, FAULT_RETRY,
                            "%.100s port %d does not offer HTTP/2, which http_version asks for",
                            e->params.host, e->params.port);
            fail(e, &f);
            return;
        }
    }
    http_on_established on_established = e->on_established;
    void *self = e->self;
    struct http_stream stream = e->stream;
    release(e);
    on_established(self, &stream, is_http2, NULL);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct http_establish *e, int events)
{
    if (!e->has_poll) {
        INVARIANT(uv_poll_init(e->params.loop, &e->poll, e->stream.fd) == 0);
        e->poll.data = e;
        e->has_poll = true;
        uv_unref((uv_handle_t *)&e->poll);
    }
    (void)uv_poll_start(&e->poll, events, on_poll);
}

static void shake_hands(struct http_establish *e)
{
    ERR_clear_error();
    int result = SSL_do_handshake(e->stream.ssl);
    if (result == 1) {
        finish(e);
        return;
    }
    int saved = errno;
    int code = SSL_get_error(e->stream.ssl, result);
    if (code == SSL_ERROR_WANT_READ) {
        watch(e, UV_READABLE);
    } else if (code == SSL_ERROR_WANT_WRITE) {
        watch(e, UV_WRITABLE);
    } else {
        errno = saved;
        fail_tls(e, code);
    }
}

static void begin_tls(struct http_establish *e)
{
    if (e->params.tls == NULL) {
        finish(e);
        return;
    }
    e->state = ESTABLISH_HANDSHAKE;
    e->stream.tls = e->params.tls;
    e->stream.ssl = http_tls_connection(e->params.tls, e->params.host, e->stream.fd);
    shake_hands(e);
}

static void fail_proxy(struct http_establish *e, const char *what)
{
    struct fault f;
    (void)fault_set(&f, FAULT_RETRY, "the proxy opened no tunnel to %.100s port %d: %s", e->params.host,
                    e->params.port, what);
    fail(e, &f);
}

static void ask_proxy(struct http_establish *e)
{
    struct iovec part = {e->request.data + e->written, e->request.size - e->written};
    ssize_t size = http_stream_write(&e->stream, &part, 1);
    if (size < 0) {
        fail_proxy(e, strerror(errno));
        return;
    }
    e->written += (size_t)size;
    bool is_all = e->written == e->request.size;
    e->state = is_all ? ESTABLISH_TUNNEL : ESTABLISH_ASKING;
    watch(e, is_all ? UV_READABLE : UV_WRITABLE);
}

static bool is_in_head(enum http1_state state)
{
    return state == HTTP1_STATUS_LINE || state == HTTP1_FIELD || state == HTTP1_FIELD_ENDED;
}

/** RFC 9110, 9.3.6: after a 2xx to CONNECT the tunnel begins behind the head, whatever its fields say. */
static void judge_proxy(struct http_establish *e)
{
    int status = e->parser.fields.status;
    char what[64];
    if (e->parser.state == HTTP1_BAD) {
        fail_proxy(e, e->parser.why);
    } else if (status == 407) {
        fail_proxy(e, "it wants other credentials than proxy.user and proxy.password (407)");
    } else if (status < 200 || status >= 300) {
        (void)snprintf(what, sizeof(what), "it responded with status %d", status);
        fail_proxy(e, what);
    } else if (e->parser.body.size > 0) {
        fail_proxy(e, "it sent more than its response");
    } else {
        begin_tls(e);
    }
}

static void read_proxy(struct http_establish *e)
{
    uint8_t data[4096];
    ssize_t size = http_stream_read(&e->stream, data, sizeof(data));
    if (size < 0) {
        if (errno != EAGAIN) {
            fail_proxy(e, strerror(errno));
        }
        return;
    }
    if (size == 0) {
        http1_parser_end(&e->parser);
    } else {
        (void)http1_parser_feed(&e->parser, slice_make(data, (size_t)size));
    }
    if (!is_in_head(e->parser.state)) {
        judge_proxy(e);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct http_establish *e = poll->data;
    watch(e, e->state == ESTABLISH_ASKING ? UV_WRITABLE : UV_READABLE);
    switch (e->state) {
    case ESTABLISH_ASKING:
        ask_proxy(e);
        break;
    case ESTABLISH_TUNNEL:
        read_proxy(e);
        break;
    case ESTABLISH_HANDSHAKE:
        shake_hands(e);
        break;
    case ESTABLISH_DIALING:
        break;
    }
}

static void begin_tunnel(struct http_establish *e)
{
    const char *open = strchr(e->params.host, ':') == NULL ? "" : "[";
    const char *close = open[0] == '\0' ? "" : "]";
    bytes_format(&e->request, "CONNECT %s%s%s:%d HTTP/1.1\r\nHost: %s%s%s:%d\r\n", open, e->params.host,
                 close, e->params.port, open, e->params.host, close, e->params.port);
    bytes_append_string(&e->request, e->params.proxy_headers);
    bytes_append_string(&e->request, "\r\n");
    http1_parser_begin(&e->parser, PROXY_BODY_MAX, 0);
    ask_proxy(e);
}

static void on_dialed(void *self, int fd, const struct fault *f)
{
    struct http_establish *e = self;
    e->dial = NULL;
    if (fd < 0) {
        struct fault why = *f;
        if (e->params.proxy_headers != NULL) {
            (void)fault_context(&why, "proxy");
        }
        fail(e, &why);
        return;
    }
    e->stream.fd = fd;
    if (e->params.proxy_headers != NULL) {
        begin_tunnel(e);
    } else {
        begin_tls(e);
    }
}

struct http_establish *http_establish_start(const struct http_establish_params *params,
                                            http_on_established on_established, void *self, struct fault *f)
{
    struct http_establish *e = memory_zeroed(1, sizeof(*e));
    e->params = *params;
    e->params.addresses = NULL;  // lent for this call alone
    e->stream.fd = -1;
    e->on_established = on_established;
    e->self = self;
    e->dial = http_dial_start(params->loop, params->addresses, &params->guard, on_dialed, e, f);
    if (e->dial == NULL) {
        free(e);
        return NULL;
    }
    return e;
}

bool http_establish_is_dialing(const struct http_establish *e)
{
    return e->dial != NULL;
}

void http_establish_cancel(struct http_establish *e)
{
    if (e->dial != NULL) {
        http_dial_cancel(e->dial);
    }
    struct http_stream stream = e->stream;
    release(e);
    http_stream_close(&stream);
}
