#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/component/core/http/raw_server.h"

#include <stdio.h>

#include "core/base/memory.h"

static void close_peer(struct raw_peer *p)
{
    if (p->is_open) {
        p->is_open = false;
        uv_close((uv_handle_t *)&p->tcp, NULL);
    }
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct raw_peer *p = handle->data;
    *buffer = uv_buf_init((char *)bytes_reserve(&p->in, size + 1), (unsigned)size);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    struct raw_peer *p = stream->data;
    if (size < 0) {
        p->is_ended = true;
        close_peer(p);
        return;
    }
    p->in.size += (size_t)size;
}

static void on_connection(uv_stream_t *listener, int status)
{
    assert_int_equal(status, 0);
    struct raw_server *s = listener->data;
    assert_true(s->count < RAW_PEERS_MAX);
    struct raw_peer *p = &s->peers[s->count++];
    (void)uv_tcp_init(s->loop, &p->tcp);
    p->tcp.data = p;
    p->in.is_secret = true;  // as it grows it leaves nothing in freed memory that a test looks at
    p->is_open = true;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->tcp), 0);
    (void)uv_tcp_nodelay(&p->tcp, 1);
    (void)uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);
}

void raw_server_start(struct raw_server *s, uv_loop_t *loop)
{
    *s = (struct raw_server){.loop = loop};
    (void)uv_tcp_init(loop, &s->tcp);
    s->tcp.data = s;
    struct sockaddr_in address;
    (void)uv_ip4_addr("127.0.0.1", 0, &address);
    assert_int_equal(uv_tcp_bind(&s->tcp, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&s->tcp, 128, on_connection), 0);
    int size = sizeof(address);
    (void)uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&address, &size);
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/fn", ntohs(address.sin_port));
}

static struct raw_peer *open_peer(struct raw_server *s, size_t peer)
{
    assert_true(peer < s->count && s->peers[peer].is_open);
    return &s->peers[peer];
}

void raw_server_write(struct raw_server *s, size_t peer, struct slice bytes)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.size);
    int written = uv_try_write((uv_stream_t *)&open_peer(s, peer)->tcp, &buffer, 1);
    assert_int_equal(written, bytes.size);
}

void raw_server_say(struct raw_server *s, size_t peer, const char *text)
{
    raw_server_write(s, peer, slice_of(text));
}

void raw_server_close(struct raw_server *s, size_t peer)
{
    close_peer(open_peer(s, peer));
}

void raw_server_reset(struct raw_server *s, size_t peer)
{
    struct raw_peer *p = open_peer(s, peer);
    p->is_open = false;
    assert_int_equal(uv_tcp_close_reset(&p->tcp, NULL), 0);
}

void raw_server_pause(struct raw_server *s, size_t peer)
{
    (void)uv_read_stop((uv_stream_t *)&open_peer(s, peer)->tcp);
}

void raw_server_resume(struct raw_server *s, size_t peer)
{
    (void)uv_read_start((uv_stream_t *)&open_peer(s, peer)->tcp, on_alloc, on_read);
}

void raw_server_refuse(struct raw_server *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->tcp)) {
        uv_close((uv_handle_t *)&s->tcp, NULL);
    }
}

void raw_server_stop(struct raw_server *s)
{
    raw_server_refuse(s);
    for (size_t i = 0; i < s->count; i++) {
        close_peer(&s->peers[i]);
        bytes_clear(&s->peers[i].in);
    }
}
