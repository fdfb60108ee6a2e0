// core/http/http_client: memory that it gives back has nothing of the secrets that a call had. Each block is
// looked at when it is freed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"
#include "tests/component/core/http/raw_server.h"

// Their Huffman codes are longer than they are, so HTTP/2 sends them as they stand (RFC 7541, 5.2).
#define IN_HEAD "{~head~}"
#define IN_LINES "{~line~}"
#define IN_TARGET "~target~{}"
#define IN_BODY "{~token~}"
#define OF_PROXY "{~proxy~}"
#define OF_PROXY_ENCODED "dTp7fnByb3h5fn0="  // u:{~proxy~}

static const char *const SECRETS[] = {IN_HEAD, IN_LINES, IN_TARGET, IN_BODY, OF_PROXY, OF_PROXY_ENCODED};

static struct {
    uv_loop_t loop;
    uv_timer_t ticker;
    struct raw_server server;
    struct http_client *client;
    struct http_head *head;
    bool is_watching;
    const char *left;  // a secret that was in freed memory
    int done;
    enum fault_kind kind;
} t;

void __wrap_free(void *block);
void __real_free(void *block);
void *__wrap_realloc(void *block, size_t size);

static void look_for_secrets(const void *block)
{
    size_t size = malloc_usable_size((void *)(uintptr_t)block);
    for (size_t i = 0; i < COUNT_OF(SECRETS); i++) {
        if (memmem(block, size, SECRETS[i], strlen(SECRETS[i])) != NULL) {
            t.left = SECRETS[i];
        }
    }
}

void __wrap_free(void *block)
{
    if (block != NULL && t.is_watching) {
        look_for_secrets(block);
    }
    __real_free(block);
}

/** Always moves. */
void *__wrap_realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    size_t old_size = block == NULL ? 0 : malloc_usable_size(block);
    if (moved != NULL && block != NULL) {
        memcpy(moved, block, old_size < size ? old_size : size);
        __wrap_free(block);
    }
    return moved;
}

#define RUN_UNTIL(condition)                                                                                 \
    do {                                                                                                     \
        time_t end_s_ = time(NULL) + 60;                                                                     \
        while (!(condition)) {                                                                               \
            assert_true(time(NULL) < end_s_);                                                                \
            (void)uv_run(&t.loop, UV_RUN_ONCE);                                                              \
        }                                                                                                    \
    } while (0)

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    assert_int_equal(uv_loop_init(&t.loop), 0);
    (void)uv_timer_init(&t.loop, &t.ticker);
    (void)uv_timer_start(&t.ticker, on_tick, 5, 5);
    raw_server_start(&t.server, &t.loop);
    t.server.url[strlen(t.server.url) - strlen("/fn")] = '\0';  // a proxy has no path
    return 0;
}

static int stop(void **state)
{
    (void)state;
    raw_server_stop(&t.server);
    uv_close((uv_handle_t *)&t.ticker, NULL);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    return 0;
}

static void open_client(enum http_version version, const struct http_proxy_params *proxy)
{
    const struct http_client_params params = {.connections_max = 1, .version = version, .proxy = *proxy};
    const struct http_header header = {"X-Key", IN_HEAD, true};
    const struct http_head_params head = {.method = "POST",
                                          .url = proxy->url == NULL ? t.server.url : "http://127.0.0.1:1/",
                                          .headers = &header,
                                          .header_count = 1};
    struct fault f;
    t.is_watching = true;
    t.client = http_client_new(&t.loop, &params);
    assert_true(http_head_new(&head, &t.head, &f));
}

static void on_done(void *self, const struct http_response *r)
{
    (void)self;
    t.done++;
    t.kind = r->transport.kind;
}

static struct http_call *send_call(void)
{
    static uint8_t body[40000];  // buffers grow
    memcpy(body + sizeof(body) - 5, "hello", 5);
    static const char LINES[] = "ce-id: 7\r\nX-Api-Key: " IN_LINES;
    const struct http_request request = {
        .head = t.head,
        .target = "/a?key=" IN_TARGET,
        .header_lines = LINES,
        .credentials = strstr(LINES, "\r\nX-Api"),
        .body = slice_make(body, sizeof(body)),
        .timeout_us = 60 * CLOCK_US_PER_S,
        .response_max_bytes = 1024,
    };
    return http_client_send(t.client, &request, on_done, NULL);
}

static bool has_arrived(const char *text)
{
    const struct bytes *in = &t.server.peers[0].in;
    return t.server.count > 0 && in->size > 0 && memmem(in->data, in->size, text, strlen(text)) != NULL;
}

static void close_client(void)
{
    http_client_free(t.client);
    http_head_free(t.head);
    (void)uv_run(&t.loop, UV_RUN_NOWAIT);
    (void)uv_run(&t.loop, UV_RUN_NOWAIT);
    t.is_watching = false;  // the server's memory is not the client's
    if (t.left != NULL) {
        fail_msg("%s was in memory that was freed", t.left);
    }
}

static void nothing_is_left_of_a_call_through_a_proxy(void **state)
{
    (void)state;
    open_client(HTTP_VERSION_1_1, &(struct http_proxy_params){t.server.url, "u", OF_PROXY});
    (void)send_call();
    RUN_UNTIL(has_arrived("Authorization: Basic " OF_PROXY_ENCODED));
    raw_server_say(&t.server, 0, "HTTP/1.1 200 OK\r\n\r\n");
    RUN_UNTIL(has_arrived("hello"));
    assert_true(has_arrived(IN_HEAD) && has_arrived(IN_LINES) && has_arrived(IN_TARGET));
    raw_server_say(&t.server, 0, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX: " IN_BODY "\r\n\r\n" IN_BODY);
    RUN_UNTIL(t.done == 1);
    assert_int_equal(t.kind, FAULT_NONE);
    close_client();
}

static void nothing_is_left_of_a_tunnel_that_is_given_up(void **state)
{
    (void)state;
    open_client(HTTP_VERSION_1_1, &(struct http_proxy_params){t.server.url, "u", OF_PROXY});
    struct http_call *call = send_call();
    RUN_UNTIL(has_arrived("Authorization: Basic " OF_PROXY_ENCODED));
    http_call_cancel(call);
    close_client();
}

static void nothing_is_left_of_a_call_in_http2(void **state)
{
    (void)state;
    static const char RESPONSE[] = "\0\0\0\4\0\0\0\0\0"            // SETTINGS
                                   "\0\0\1\1\4\0\0\0\1\x88"        // HEADERS, :status 200
                                   "\0\0\x9\0\1\0\0\0\1" IN_BODY;  // DATA, END_STREAM
    open_client(HTTP_VERSION_2, &(struct http_proxy_params){0});
    (void)send_call();
    RUN_UNTIL(has_arrived("hello"));
    assert_true(has_arrived(IN_HEAD) && has_arrived(IN_LINES) && has_arrived(IN_TARGET));
    raw_server_write(&t.server, 0, slice_make(RESPONSE, sizeof(RESPONSE) - 1));
    RUN_UNTIL(t.done == 1);
    assert_int_equal(t.kind, FAULT_NONE);
    (void)send_call();
    close_client();
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_left_of_a_call_through_a_proxy),
        CASE(nothing_is_left_of_a_tunnel_that_is_given_up),
        CASE(nothing_is_left_of_a_call_in_http2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
