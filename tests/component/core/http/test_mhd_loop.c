// core/http/mhd_loop: a client over a real socket, in the thread that turns the loop.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/http/mhd_loop.h"

enum { LARGE_BYTES = 1 << 20, SLEEPS = -1 };

/** What a handler does with a request before it responds. */
enum habit { RESPONDS, SUSPENDS, SUSPENDS_AND_RESUMES };

struct server {
    uv_loop_t loop;
    struct mhd_loop mhd;
    struct MHD_Response *response;
    enum habit habit;
    struct MHD_Connection *suspended;
    size_t received;  // bytes of bodies
    int client;       // its socket
    bool is_closed;
};

// NOLINTNEXTLINE(readability-function-size): libmicrohttpd's signature
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **context)
{
    (void)path;
    (void)method;
    (void)version;
    (void)data;
    struct server *s = self;
    static int begun;
    static int resumed;
    if (*context == NULL) {
        *context = &begun;
        return MHD_YES;
    }
    s->received += *size;
    if (*size > 0) {
        *size = 0;
        return MHD_YES;
    }
    if (s->habit == RESPONDS || *context == &resumed) {
        return MHD_queue_response(connection, MHD_HTTP_OK, s->response);
    }
    *context = &resumed;
    MHD_suspend_connection(connection);
    s->suspended = connection;
    if (s->habit == SUSPENDS_AND_RESUMES) {
        mhd_loop_resume(&s->mhd, TAKE(s->suspended));
    }
    return MHD_YES;
}

static void connect_client(struct server *s)
{
    int port = MHD_get_daemon_info(s->mhd.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    s->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(s->client, (const struct sockaddr *)&at, sizeof(at)), 0);
}

static void start(struct server *s, enum habit habit)
{
    *s = (struct server){.habit = habit};
    assert_int_equal(uv_loop_init(&s->loop), 0);
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_LOOP_FLAGS, 0, NULL, NULL, on_request, s,
                                                 MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    assert_non_null(daemon);
    s->response = MHD_create_response_from_buffer(2, (void *)(uintptr_t) "ok", MHD_RESPMEM_PERSISTENT);
    mhd_loop_start(&s->mhd, &s->loop, daemon);
    connect_client(s);
}

static void on_closed(void *self)
{
    ((struct server *)self)->is_closed = true;
}

static void stop(struct server *s)
{
    (void)close(s->client);
    mhd_loop_stop(&s->mhd, on_closed, s);
    assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
    assert_true(s->is_closed);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    MHD_destroy_response(s->response);
}

static void send_text(const struct server *s, const char *text)
{
    assert_int_equal(send(s->client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/** Turns the loop until the client has a response. */
static void await_response(struct server *s)
{
    char text[1024];
    ssize_t size;
    while ((size = recv(s->client, text, sizeof(text) - 1, MSG_DONTWAIT)) < 0) {
        (void)uv_run(&s->loop, UV_RUN_NOWAIT);
    }
    text[size] = '\0';
    assert_non_null(strstr(text, "200 OK"));
    assert_non_null(strstr(text, "\r\n\r\nok"));
}

static const char GET[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A response is out: the loop sleeps, and the connection's next request wakes it up, not a timer. */
static void assert_sleeps(const struct server *s)
{
    assert_int_equal(uv_backend_timeout(&s->loop), SLEEPS);
}

static void test_a_response_leaves_the_loop_asleep(void **state)
{
    (void)state;
    struct server s;
    start(&s, RESPONDS);
    for (int i = 0; i < 3; i++) {
        send_text(&s, GET);
        await_response(&s);
        assert_sleeps(&s);
    }
    stop(&s);
}

static void test_a_resumed_connection_is_served_by_its_descriptor_again(void **state)
{
    (void)state;
    struct server s;
    start(&s, SUSPENDS);
    for (int i = 0; i < 3; i++) {
        send_text(&s, GET);
        while (s.suspended == NULL) {
            (void)uv_run(&s.loop, UV_RUN_NOWAIT);
        }
        assert_sleeps(&s);
        mhd_loop_resume(&s.mhd, TAKE(s.suspended));
        await_response(&s);
        assert_sleeps(&s);
    }
    stop(&s);
}

static void test_a_connection_resumed_by_its_handler_is_answered_in_the_same_turn(void **state)
{
    (void)state;
    struct server s;
    start(&s, SUSPENDS_AND_RESUMES);
    for (int i = 0; i < 3; i++) {
        send_text(&s, GET);
        await_response(&s);
        assert_sleeps(&s);
    }
    stop(&s);
}

static void test_a_large_body_needs_no_time_outs(void **state)
{
    (void)state;
    struct server s;
    start(&s, RESPONDS);
    char head[128];
    (void)snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
                   LARGE_BYTES);
    send_text(&s, head);
    static char block[65536];
    for (size_t sent = 0; sent < LARGE_BYTES;) {
        size_t rest = LARGE_BYTES - sent;
        ssize_t size = send(s.client, block, rest < sizeof(block) ? rest : sizeof(block), MSG_DONTWAIT);
        sent += size > 0 ? (size_t)size : 0;
        (void)uv_run(&s.loop, UV_RUN_NOWAIT);
        assert_false(uv_is_active((uv_handle_t *)&s.mhd.timer));
    }
    await_response(&s);
    assert_int_equal(s.received, LARGE_BYTES);
    assert_sleeps(&s);
    stop(&s);
}

/** Turns the loop until it would sleep. */
static void turn_until_asleep(struct server *s)
{
    while (uv_backend_timeout(&s->loop) != SLEEPS) {
        (void)uv_run(&s->loop, UV_RUN_NOWAIT);
    }
}

static void test_a_client_that_stalls_does_not_keep_the_loop_awake(void **state)
{
    (void)state;
    struct server s;
    start(&s, RESPONDS);
    send_text(&s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of it");
    while (s.received < strlen("half of it")) {
        (void)uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    turn_until_asleep(&s);
    (void)close(s.client);
    connect_client(&s);
    MHD_destroy_response(s.response);
    static char block[16 * LARGE_BYTES];  // more than the sockets' buffers hold
    s.response = MHD_create_response_from_buffer(sizeof(block), block, MHD_RESPMEM_PERSISTENT);
    send_text(&s, GET);
    char byte;
    while (recv(s.client, &byte, 1, MSG_DONTWAIT) < 0) {
        (void)uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    turn_until_asleep(&s);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_leaves_the_loop_asleep),
        cmocka_unit_test(test_a_resumed_connection_is_served_by_its_descriptor_again),
        cmocka_unit_test(test_a_connection_resumed_by_its_handler_is_answered_in_the_same_turn),
        cmocka_unit_test(test_a_large_body_needs_no_time_outs),
        cmocka_unit_test(test_a_client_that_stalls_does_not_keep_the_loop_awake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
