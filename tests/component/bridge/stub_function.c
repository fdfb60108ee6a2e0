#include "tests/component/bridge/stub_function.h"

#include <stdio.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

struct stub_connection {
    uv_tcp_t tcp;
    uv_timer_t timer;
    struct stub_function *stub;
    struct bytes in;
    struct stub_answer answer;  // to the current call
    size_t call;
    bool is_answering;
    int open_handles;
    struct stub_connection *next;
};

struct stub_function {
    uv_tcp_t tcp;
    uv_loop_t *loop;
    stub_script script;
    void *self;
    char *url;
    struct stub_call *calls;
    size_t count;
    size_t running;
    size_t running_max;
    struct stub_connection *connections;
};

static void parse(struct stub_connection *c);

static void on_connection_closed(uv_handle_t *handle)
{
    struct stub_connection *c = handle->data;
    if (--c->open_handles == 0) {
        bytes_clear(&c->in);
        free(c);
    }
}

static void close_connection(struct stub_connection *c)
{
    if (uv_is_closing((uv_handle_t *)&c->tcp)) {
        return;
    }
    struct stub_connection **at = &c->stub->connections;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    uv_close((uv_handle_t *)&c->tcp, on_connection_closed);
    uv_close((uv_handle_t *)&c->timer, on_connection_closed);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write->data);
    free(write);
}

static void write_answer(struct stub_connection *c)
{
    struct bytes out = {0};
    const char *more = c->answer.headers == NULL ? "" : c->answer.headers;
    const char *body = c->answer.body == NULL ? "" : c->answer.body;
    bytes_format(&out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", c->answer.status,
                 c->answer.garbage_bytes + strlen(body), more, body);
    memset(bytes_reserve(&out, c->answer.garbage_bytes), 'g', c->answer.garbage_bytes);
    out.size += c->answer.garbage_bytes;
    uv_write_t *write = memory_zeroed(1, sizeof(*write));
    write->data = out.data;
    uv_buf_t buffer = uv_buf_init((char *)out.data, (unsigned)out.size);
    (void)uv_write(write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written);
}

static void on_time(uv_timer_t *timer)
{
    struct stub_connection *c = timer->data;
    c->stub->running--;
    c->stub->calls[c->call].answered_us = clock_now_us();
    c->is_answering = false;
    if (c->answer.status == 0) {
        close_connection(c);
        return;
    }
    write_answer(c);
    parse(c);
}

static void take_call(struct stub_connection *c, size_t head_size, size_t body_size)
{
    struct stub_function *s = c->stub;
    s->calls = memory_resize(s->calls, (s->count + 1) * sizeof(*s->calls));
    struct stub_call *call = &s->calls[s->count];
    *call = (struct stub_call){
        .head = slice_to_string(slice_make(c->in.data, head_size)),
        .body = slice_to_string(slice_make(c->in.data + head_size, body_size)),
        .at_us = clock_now_us(),
    };
    c->answer = s->script(s->self, call, s->count);
    c->call = s->count++;
    c->is_answering = true;
    size_t used = head_size + body_size;
    memmove(c->in.data, c->in.data + used, c->in.size - used);
    c->in.size -= used;
    s->running++;
    s->running_max = s->running > s->running_max ? s->running : s->running_max;
    if (!c->answer.is_held) {
        (void)uv_timer_start(&c->timer, on_time, c->answer.delay_ms, 0);
    }
}

static void parse(struct stub_connection *c)
{
    const char *end = c->in.size == 0 ? NULL : strstr(bytes_text(&c->in), "\r\n\r\n");
    if (end == NULL || c->is_answering) {
        return;
    }
    size_t head_size = (size_t)(end + 4 - (const char *)c->in.data);
    const char *length = strcasestr((const char *)c->in.data, "\r\nContent-Length:");
    size_t body_size = length == NULL ? 0 : (size_t)strtoul(length + 17, NULL, 10);
    if (c->in.size >= head_size + body_size) {
        take_call(c, head_size, body_size);
    }
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct stub_connection *c = handle->data;
    *buffer = uv_buf_init((char *)bytes_reserve(&c->in, size + 1), (unsigned)size);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    struct stub_connection *c = stream->data;
    if (size < 0) {
        if (c->is_answering) {
            c->stub->running--;
        }
        close_connection(c);
        return;
    }
    c->in.size += (size_t)size;
    parse(c);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct stub_function *s = server->data;
    if (status != 0) {
        return;
    }
    struct stub_connection *c = memory_zeroed(1, sizeof(*c));
    c->stub = s;
    (void)uv_tcp_init(s->loop, &c->tcp);
    (void)uv_timer_init(s->loop, &c->timer);
    c->tcp.data = c->timer.data = c;
    c->open_handles = 2;
    c->next = s->connections;
    s->connections = c;
    (void)uv_accept(server, (uv_stream_t *)&c->tcp);
    (void)uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

struct stub_function *stub_function_start(uv_loop_t *loop, stub_script script, void *self)
{
    struct stub_function *s = memory_zeroed(1, sizeof(*s));
    s->loop = loop;
    s->script = script;
    s->self = self;
    (void)uv_tcp_init(loop, &s->tcp);
    s->tcp.data = s;
    struct sockaddr_in address;
    (void)uv_ip4_addr("127.0.0.1", 0, &address);
    INVARIANT(uv_tcp_bind(&s->tcp, (struct sockaddr *)&address, 0) == 0);
    INVARIANT(uv_listen((uv_stream_t *)&s->tcp, 128, on_connection) == 0);
    int size = sizeof(address);
    (void)uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&address, &size);
    s->url = memory_format("http://127.0.0.1:%d/fn", ntohs(address.sin_port));
    return s;
}

void stub_function_release(struct stub_function *s)
{
    for (struct stub_connection *c = s->connections; c != NULL; c = c->next) {
        if (c->is_answering && c->answer.is_held) {
            c->answer.is_held = false;
            (void)uv_timer_start(&c->timer, on_time, 0, 0);
        }
    }
}

const char *stub_function_url(const struct stub_function *s)
{
    return s->url;
}

size_t stub_function_count(const struct stub_function *s)
{
    return s->count;
}

const struct stub_call *stub_function_call(const struct stub_function *s, size_t number)
{
    INVARIANT(number < s->count);
    return &s->calls[number];
}

size_t stub_function_running_max(const struct stub_function *s)
{
    return s->running_max;
}

char *stub_call_header(const struct stub_call *call, const char *name)
{
    char *wanted CLEANUP(memory_free_pointer) = memory_format("\r\n%s: ", name);
    const char *at = strcasestr(call->head, wanted);
    if (at == NULL) {
        return NULL;
    }
    at += strlen(wanted);
    return slice_to_string(slice_make(at, strcspn(at, "\r")));
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void stub_function_stop(struct stub_function *s)
{
    while (s->connections != NULL) {
        close_connection(s->connections);
    }
    for (size_t i = 0; i < s->count; i++) {
        free(s->calls[i].head);
        free(s->calls[i].body);
    }
    free(s->calls);
    free(s->url);
    uv_close((uv_handle_t *)&s->tcp, on_closed);
}
