// core/http/http1_client beside a server that does what the test says: connections, their reuse, and what can
// go wrong in each phase.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/base/clock.h"
#include "core/http/http_head.h"
#include "core/http/http_transport.h"
#include "tests/component/core/http/raw_server.h"

#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

enum { CALLS_MAX = 64 };

struct outcome {
    bool is_done;
    struct http_response response;
    char body[64];
};

static struct {
    uv_loop_t loop;
    uv_timer_t ticker;  // the loop never sleeps for long
    struct raw_server server;
    void *client;
    struct http_head *head;
    struct http_call *calls[CALLS_MAX];
    struct outcome outcomes[CALLS_MAX];
    size_t done;
    struct http_request again;  // sent by on_done of call 0, unless it has no head
    bool frees_client;          // on_done frees the client
} t;

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static struct http_head *head_of(const char *url)
{
    struct http_head *head = NULL;
    struct fault f;
    const struct http_head_params params = {.method = "POST", .url = url};
    assert_true(http_head_new(&params, &head, &f));
    return head;
}

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    assert_int_equal(uv_loop_init(&t.loop), 0);
    (void)uv_timer_init(&t.loop, &t.ticker);
    (void)uv_timer_start(&t.ticker, on_tick, 5, 5);
    raw_server_start(&t.server, &t.loop);
    t.client = http1_client.open(&t.loop, 2);
    t.head = head_of(t.server.url);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clock_fake(-1, -1);
    http1_client.close(t.client);
    raw_server_stop(&t.server);
    uv_close((uv_handle_t *)&t.ticker, NULL);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    http_head_free(t.head);
    return 0;
}

static void on_done(void *self, const struct http_response *r)
{
    struct outcome *o = self;
    assert_false(o->is_done);
    o->is_done = true;
    o->response = *r;
    size_t size = r->body.size < sizeof(o->body) - 1 ? r->body.size : sizeof(o->body) - 1;
    memcpy(o->body, size == 0 ? "" : (const char *)r->body.data, size);
    t.done++;
    if (o == &t.outcomes[0] && t.again.head != NULL) {
        t.calls[1] = http1_client.send(t.client, &t.again, on_done, &t.outcomes[1]);
    }
    if (t.frees_client) {
        http1_client.close(t.client);
        t.client = NULL;
    }
}

static struct http_request request_of(const struct http_head *head, struct slice body)
{
    return (struct http_request){
        .head = head, .body = body, .timeout_us = 60 * CLOCK_US_PER_S, .response_max_bytes = 32};
}

static void post_to(const struct http_head *head, size_t number, struct slice body)
{
    const struct http_request request = request_of(head, body);
    t.calls[number] = http1_client.send(t.client, &request, on_done, &t.outcomes[number]);
    assert_false(t.outcomes[number].is_done);
}

static void post(size_t number)
{
    post_to(t.head, number, slice_of("hello"));
}

#define RUN_UNTIL(condition)                                                                                 \
    do {                                                                                                     \
        time_t end_s_ = time(NULL) + 60;                                                                     \
        while (!(condition)) {                                                                               \
            assert_true(time(NULL) < end_s_);                                                                \
            (void)uv_run(&t.loop, UV_RUN_ONCE);                                                              \
        }                                                                                                    \
    } while (0)

static void run_turns(int count)
{
    for (int i = 0; i < count; i++) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
}

/** How many whole requests have arrived at this connection. */
static size_t requests_of(size_t peer)
{
    size_t count = 0;
    if (peer >= t.server.count || t.server.peers[peer].in.size == 0) {
        return 0;
    }
    for (const char *at = bytes_text(&t.server.peers[peer].in); (at = strstr(at, "\r\n\r\nhello")) != NULL;
         at++) {
        count++;
    }
    return count;
}

static void wait_request(size_t peer, size_t count)
{
    RUN_UNTIL(requests_of(peer) == count);
}

static void wait_done(size_t number)
{
    RUN_UNTIL(t.outcomes[number].is_done);
}

static void expect_status(size_t number, int status)
{
    wait_done(number);
    if (t.outcomes[number].response.transport.kind != FAULT_NONE) {
        fail_msg("call %zu: %s", number, t.outcomes[number].response.transport.text);
    }
    assert_int_equal(t.outcomes[number].response.status, status);
}

static void expect_fault(size_t number, bool is_sent, bool is_timeout, const char *says)
{
    wait_done(number);
    const struct http_response *r = &t.outcomes[number].response;
    assert_int_equal(r->transport.kind, FAULT_RETRY);
    assert_int_equal(r->is_sent, is_sent);
    assert_int_equal(r->is_timeout, is_timeout);
    if (strstr(r->transport.text, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", r->transport.text, says);
    }
}

/** Makes call `number` on the next connection, which becomes idle. */
static void warm_up(size_t number, size_t peer)
{
    post(number);
    wait_request(peer, 1);
    raw_server_say(&t.server, peer, EMPTY);
    expect_status(number, 200);
}

static void the_request_is_as_prepared(void **state)
{
    (void)state;
    struct http_request request = request_of(t.head, slice_of("hello"));
    request.header_lines = "X-One: 1\r\nX-Two: 2";
    (void)http1_client.send(t.client, &request, on_done, &t.outcomes[0]);
    wait_request(0, 1);
    char *wanted CLEANUP(memory_free_pointer) =
        memory_format("POST /fn HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: millrace/" MILLRACE_VERSION
                      "\r\nContent-Length: 5\r\nX-One: 1\r\nX-Two: 2\r\n\r\nhello",
                      (int)(strlen(t.server.url) - strlen("http:///fn")), t.server.url + strlen("http://"));
    assert_string_equal(bytes_text(&t.server.peers[0].in), wanted);
    raw_server_say(&t.server, 0, "HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno");
    expect_status(0, 429);
    assert_int_equal(t.outcomes[0].response.retry_after_us, 7 * CLOCK_US_PER_S);
    assert_string_equal(t.outcomes[0].body, "no");
}

static void the_connection_used_last_is_used_first(void **state)
{
    (void)state;
    post(0);
    post(1);
    wait_request(0, 1);
    wait_request(1, 1);
    raw_server_say(&t.server, 1, EMPTY);
    expect_status(1, 200);
    raw_server_say(&t.server, 0, EMPTY);
    expect_status(0, 200);
    for (size_t i = 2; i < 5; i++) {
        post(i);
        wait_request(0, i);
        raw_server_say(&t.server, 0, EMPTY);
        expect_status(i, 200);
    }
    assert_int_equal(t.server.count, 2);
}

static void calls_beyond_the_connections_wait_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        post(i);
    }
    wait_request(0, 1);
    wait_request(1, 1);
    run_turns(20);
    assert_int_equal(t.server.count, 2);
    t.again = request_of(t.head, slice_of("hello"));  // comes after those that wait
    raw_server_say(&t.server, 0, EMPTY);
    wait_request(0, 2);
    assert_true(t.outcomes[0].is_done);
    t.outcomes[1].is_done = false;
    raw_server_say(&t.server, 0, "HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n");
    expect_status(2, 201);
    // A connection that closes makes room as well.
    wait_request(0, 3);
    raw_server_close(&t.server, 0);
    expect_fault(3, true, false, "closed without a response");
    wait_request(2, 1);
}

static void a_response_in_single_bytes_is_whole(void **state)
{
    (void)state;
    static const char RESPONSE[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n2;x\r\nde\r\n0\r\nTrailer: t\r\n\r\n";
    post(0);
    wait_request(0, 1);
    for (const char *c = RESPONSE; *c != '\0'; c++) {
        assert_int_equal(t.done, 0);
        raw_server_write(&t.server, 0, slice_make(c, 1));
        run_turns(2);
    }
    expect_status(0, 200);
    assert_string_equal(t.outcomes[0].body, "abcde");
    post(1);
    wait_request(0, 2);
}

static void a_connection_that_the_peer_closes_is_closed_and_not_used(void **state)
{
    (void)state;
    warm_up(0, 0);
    raw_server_close(&t.server, 0);
    run_turns(20);
    warm_up(1, 1);
    raw_server_reset(&t.server, 1);
    run_turns(20);
    warm_up(2, 2);
    // The loop has no turn between the end and the next request.
    raw_server_close(&t.server, 2);
    clock_fake(clock_now_us() + CLOCK_US_PER_S, 0);
    post(3);
    clock_fake(-1, -1);
    wait_request(3, 1);
    raw_server_say(&t.server, 3, EMPTY);
    expect_status(3, 200);
}

static void the_time_that_the_peer_names_is_kept(void **state)
{
    (void)state;
    clock_fake(1000000, 0);
    post(0);
    wait_request(0, 1);
    raw_server_say(&t.server, 0, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n");
    expect_status(0, 200);
    clock_fake(4900000, 0);
    post(1);
    wait_request(0, 2);
    raw_server_say(&t.server, 0, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n");
    expect_status(1, 200);
    clock_fake(9000000, 0);
    post(2);
    wait_request(1, 1);
    RUN_UNTIL(t.server.peers[0].is_ended);
}

/** Routers forget a connection after two minutes: a request on it would meet silence until its deadline. */
static void a_connection_that_was_idle_for_long_is_not_used(void **state)
{
    (void)state;
    static const char *const RESPONSES[] = {
        EMPTY, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=900\r\nContent-Length: 0\r\n\r\n"};
    int64_t now_us = CLOCK_US_PER_S;
    for (size_t i = 0; i < COUNT_OF(RESPONSES); i++) {
        clock_fake(now_us, 0);
        post(3 * i);
        wait_request(2 * i, 1);
        raw_server_say(&t.server, 2 * i, RESPONSES[i]);
        expect_status(3 * i, 200);
        now_us += 117 * CLOCK_US_PER_S;
        clock_fake(now_us, 0);
        post(3 * i + 1);
        wait_request(2 * i, 2);
        raw_server_say(&t.server, 2 * i, RESPONSES[i]);
        expect_status(3 * i + 1, 200);
        now_us += 118 * CLOCK_US_PER_S;
        clock_fake(now_us, 0);
        post(3 * i + 2);
        wait_request(2 * i + 1, 1);
        RUN_UNTIL(t.server.peers[2 * i].is_ended);
        raw_server_say(&t.server, 2 * i + 1,
                       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        expect_status(3 * i + 2, 200);
    }
}

/** Such a body, if it comes, comes after the response, and must not be read as the next one. */
static void a_204_that_announces_a_body_is_the_last_of_its_connection(void **state)
{
    (void)state;
    post(0);
    wait_request(0, 1);
    raw_server_say(&t.server, 0, "HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\n");
    expect_status(0, 204);
    post(1);
    wait_request(1, 1);
    RUN_UNTIL(t.server.peers[0].is_ended);
    raw_server_say(&t.server, 1, EMPTY);
    expect_status(1, 200);
}

static void what_no_request_asked_for_closes_the_connection(void **state)
{
    (void)state;
    // While it is idle.
    warm_up(0, 0);
    raw_server_say(&t.server, 0, "HTTP/1.1 201 Smuggled\r\nContent-Length: 0\r\n\r\n");
    RUN_UNTIL(t.server.peers[0].is_ended);
    // Together with the response.
    post(1);
    wait_request(1, 1);
    raw_server_say(&t.server, 1, EMPTY "HTTP/1.1 201 Smuggled\r\nContent-Length: 0\r\n\r\n");
    expect_status(1, 200);
    RUN_UNTIL(t.server.peers[1].is_ended);
    // Idle, and the loop has no turn before the next request.
    warm_up(2, 2);
    raw_server_say(&t.server, 2, "HTTP/1.1 201 Smuggled\r\nContent-Length: 0\r\n\r\n");
    clock_fake(clock_now_us() + CLOCK_US_PER_S, 0);
    post(3);
    clock_fake(-1, -1);
    wait_request(3, 1);
    raw_server_say(&t.server, 3, EMPTY);
    expect_status(3, 200);
}

static void connections_that_the_response_ends_are_closed(void **state)
{
    (void)state;
    static const char *const RESPONSES[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    };
    for (size_t i = 0; i < COUNT_OF(RESPONSES); i++) {
        post(i);
        wait_request(i, 1);
        raw_server_say(&t.server, i, RESPONSES[i]);
        expect_status(i, 200);
        assert_string_equal(t.outcomes[i].body, "hi");
        RUN_UNTIL(t.server.peers[i].is_ended);
    }
    post(2);
    wait_request(2, 1);
    raw_server_say(&t.server, 2, "HTTP/1.1 200 OK\r\n\r\nuntil");
    run_turns(10);
    assert_false(t.outcomes[2].is_done);
    raw_server_close(&t.server, 2);
    expect_status(2, 200);
    assert_string_equal(t.outcomes[2].body, "until");
}

/** The request may have been carried out: it goes to the caller, and to no other connection. */
static void a_reset_is_an_error_in_each_phase(void **state)
{
    (void)state;
    static const char *const PHASES[] = {
        "",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil",
    };
    for (size_t i = 0; i < COUNT_OF(PHASES); i++) {
        size_t closed = 2 * i;
        bool is_to_end = i == COUNT_OF(PHASES) - 1;
        post(closed);
        wait_request(closed, 1);
        raw_server_say(&t.server, closed, PHASES[i]);
        run_turns(5);
        raw_server_reset(&t.server, closed);
        expect_fault(closed, true, false,
                     i == 0
                         ? "the connection broke without a response: Connection reset by peer"
                         : "the connection broke before the response was complete: Connection reset by peer");
        post(closed + 1);
        wait_request(closed + 1, 1);
        raw_server_say(&t.server, closed + 1, PHASES[i]);
        run_turns(5);
        raw_server_close(&t.server, closed + 1);
        if (is_to_end) {
            expect_status(closed + 1, 200);
        } else {
            expect_fault(closed + 1, true, false,
                         i == 0 ? "the connection was closed without a response"
                                : "the connection was closed before the response was complete");
        }
        assert_int_equal(t.server.count, closed + 2);
    }
}

/** 5 GB, by its length or in chunks without end: the status counts, and the connection is closed. */
static void a_body_without_end_is_cut_off(void **state)
{
    (void)state;
    post(0);
    wait_request(0, 1);
    raw_server_say(&t.server, 0, "HTTP/1.1 201 X\r\nContent-Length: 5000000000\r\n\r\n");
    raw_server_say(&t.server, 0, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    run_turns(5);
    assert_false(t.outcomes[0].is_done);
    raw_server_say(&t.server, 0, "n");
    expect_status(0, 201);
    assert_true(t.outcomes[0].response.is_cut);
    assert_string_equal(t.outcomes[0].body, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    RUN_UNTIL(t.server.peers[0].is_ended);
    post(1);
    wait_request(1, 1);
    struct bytes chunk CLEANUP(bytes_clear) = {0};
    bytes_append_string(&chunk, "4000\r\n");
    memset(bytes_reserve(&chunk, 0x4000), 'c', 0x4000);
    chunk.size += 0x4000;
    bytes_append_string(&chunk, "\r\n");
    raw_server_say(&t.server, 1, "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < HTTP_BODY_DISCARD_MAX / 0x4000; i++) {
        assert_false(t.outcomes[1].is_done);
        raw_server_write(&t.server, 1, bytes_slice(&chunk));
        run_turns(2);
    }
    assert_false(t.outcomes[1].is_done);  // all but 32 bytes of it are discarded
    raw_server_write(&t.server, 1, bytes_slice(&chunk));
    expect_status(1, 500);
    assert_true(t.outcomes[1].response.is_cut);
    RUN_UNTIL(t.server.peers[1].is_ended);
}

static void a_reused_connection_that_breaks_is_no_reason_to_send_again(void **state)
{
    (void)state;
    warm_up(0, 0);
    post(1);
    wait_request(0, 2);
    raw_server_close(&t.server, 0);
    expect_fault(1, true, false, "closed without a response");
    run_turns(10);
    assert_int_equal(t.server.count, 1);
}

/** A body that the socket can't take at once. */
static struct slice large_body(void)
{
    static uint8_t body[8 * 1024 * 1024];
    return slice_make(body, sizeof(body));
}

static void a_large_request_is_sent_as_the_socket_takes_it(void **state)
{
    (void)state;
    struct slice body = large_body();
    ((uint8_t *)(uintptr_t)body.data)[body.size - 1] = 'z';
    post_to(t.head, 0, body);
    RUN_UNTIL(t.server.count == 1);
    raw_server_pause(&t.server, 0);
    run_turns(50);
    raw_server_resume(&t.server, 0);
    RUN_UNTIL(t.server.peers[0].in.size > body.size &&
              t.server.peers[0].in.data[t.server.peers[0].in.size - 1] == 'z');
    raw_server_say(&t.server, 0, EMPTY);
    expect_status(0, 200);
    // The connection is as good as any.
    bytes_reset(&t.server.peers[0].in);
    post(1);
    wait_request(0, 1);
}

static void a_response_before_the_request_is_sent_is_the_response(void **state)
{
    (void)state;
    // Larger than what is read at once.
    struct bytes response CLEANUP(bytes_clear) = {0};
    bytes_append_string(&response, "HTTP/1.1 413 Too Large\r\nContent-Length: 100000\r\n\r\n");
    memset(bytes_reserve(&response, 100000), 'n', 100000);
    response.size += 100000;
    for (size_t i = 0; i < 3; i++) {
        post_to(t.head, i, large_body());
        RUN_UNTIL(t.server.count == i + 1 && t.server.peers[i].in.size > 0);
        raw_server_pause(&t.server, i);
        raw_server_write(&t.server, i, bytes_slice(&response));
        if (i == 1) {
            raw_server_close(&t.server, i);  // with unread bytes: a reset follows the response
        } else if (i == 2) {
            raw_server_close(&t.server, i);
            run_turns(1);
        }
        expect_status(i, 413);
        assert_string_equal(t.outcomes[i].body, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
        if (t.server.peers[i].is_open) {
            raw_server_resume(&t.server, i);
            RUN_UNTIL(t.server.peers[i].is_ended);
        }
    }
}

static void a_call_that_is_late_closes_its_connection(void **state)
{
    (void)state;
    clock_fake(1000000, 0);
    struct http_request request = request_of(t.head, slice_of("hello"));
    request.timeout_us = 5000;
    for (size_t i = 0; i < 3; i++) {  // the third waits for a connection
        t.calls[i] = http1_client.send(t.client, &request, on_done, &t.outcomes[i]);
    }
    wait_request(0, 1);
    wait_request(1, 1);
    raw_server_say(&t.server, 0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnever");
    run_turns(10);
    clock_fake(1004999, 0);
    run_turns(10);
    assert_int_equal(t.done, 0);
    clock_fake(1005000, 0);
    expect_fault(0, true, true, "the response was not complete in time");
    expect_fault(1, true, true, "no response in time");
    expect_fault(2, false, true, "no connection became free in time");
    RUN_UNTIL(t.server.peers[0].is_ended && t.server.peers[1].is_ended);
    assert_int_equal(t.outcomes[0].response.took_us, 5000);
}

static void a_cancelled_call_closes_its_connection_and_makes_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        post(i);
    }
    wait_request(0, 1);
    wait_request(1, 1);
    http1_client.cancel(t.calls[2]);  // waits
    http1_client.cancel(t.calls[0]);  // runs
    RUN_UNTIL(t.server.peers[0].is_ended);
    wait_request(2, 1);
    raw_server_say(&t.server, 2, EMPTY);
    expect_status(3, 200);
    http1_client.cancel(t.calls[4]);
    http1_client.cancel(t.calls[1]);
    post(5);
    http1_client.cancel(t.calls[5]);  // is being connected
    run_turns(20);
    assert_int_equal(t.done, 1);
}

static void a_refused_connection_has_sent_nothing(void **state)
{
    (void)state;
    raw_server_refuse(&t.server);
    post(0);
    expect_fault(0, false, false, "can't connect to 127.0.0.1 port");
    post(1);
    expect_fault(1, false, false, "Connection refused");
}

static void hosts_are_looked_up(void **state)
{
    (void)state;
    char *url CLEANUP(memory_free_pointer) =
        memory_format("http://localhost:%s", strrchr(t.server.url, ':') + 1);
    struct http_head *head = head_of(url);
    struct http_head *unknown = head_of("http://no-such-name.invalid/");
    post_to(head, 0, slice_of("hello"));
    post_to(head, 1, slice_of("hello"));
    wait_request(0, 1);  // if localhost is ::1 first, that refuses
    wait_request(1, 1);
    raw_server_say(&t.server, 0, EMPTY);
    raw_server_say(&t.server, 1, EMPTY);
    expect_status(0, 200);
    expect_status(1, 200);
    // Both connections are idle: one of them makes room for another host.
    post_to(unknown, 2, slice_of("hello"));
    expect_fault(2, false, false, "can't look up no-such-name.invalid");
    RUN_UNTIL(t.server.peers[0].is_ended || t.server.peers[1].is_ended);
    http_head_free(head);
    http_head_free(unknown);
}

static void a_name_that_no_look_up_takes_is_a_fault(void **state)
{
    (void)state;
    struct bytes url CLEANUP(bytes_clear) = {0};
    bytes_append_string(&url, "http://");
    for (int i = 0; i < 300; i++) {
        bytes_append_byte(&url, 'a');
    }
    struct http_head *head = head_of(bytes_text(&url));
    post_to(head, 0, slice_of("hello"));
    expect_fault(0, false, false, "can't look up aaa");
    http_head_free(head);
}

static void bad_responses_are_errors(void **state)
{
    (void)state;
    static const char *const RESPONSES[] = {
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(RESPONSES); i++) {
        post(i);
        wait_request(i, 1);
        raw_server_say(&t.server, i, RESPONSES[i]);
        expect_fault(i, true, false, "the response");
        RUN_UNTIL(t.server.peers[i].is_ended);
    }
}

static void the_client_may_be_freed_by_a_callback(void **state)
{
    (void)state;
    post(0);
    post(1);
    post(2);
    wait_request(0, 1);
    wait_request(1, 1);
    t.frees_client = true;
    raw_server_say(&t.server, 0, EMPTY);
    wait_done(0);
    RUN_UNTIL(t.server.peers[0].is_ended && t.server.peers[1].is_ended);
    assert_int_equal(t.done, 1);
}

static void an_idle_client_keeps_no_loop_running(void **state)
{
    (void)state;
    warm_up(0, 0);
    raw_server_stop(&t.server);
    uv_unref((uv_handle_t *)&t.ticker);
    for (int i = 0; i < 10; i++) {
        (void)uv_run(&t.loop, UV_RUN_NOWAIT);
    }
    assert_false(uv_loop_alive(&t.loop));
    uv_ref((uv_handle_t *)&t.ticker);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_request_is_as_prepared),
        CASE(the_connection_used_last_is_used_first),
        CASE(calls_beyond_the_connections_wait_in_order),
        CASE(a_response_in_single_bytes_is_whole),
        CASE(a_connection_that_the_peer_closes_is_closed_and_not_used),
        CASE(the_time_that_the_peer_names_is_kept),
        CASE(a_connection_that_was_idle_for_long_is_not_used),
        CASE(a_204_that_announces_a_body_is_the_last_of_its_connection),
        CASE(what_no_request_asked_for_closes_the_connection),
        CASE(connections_that_the_response_ends_are_closed),
        CASE(a_reset_is_an_error_in_each_phase),
        CASE(a_body_without_end_is_cut_off),
        CASE(a_reused_connection_that_breaks_is_no_reason_to_send_again),
        CASE(a_large_request_is_sent_as_the_socket_takes_it),
        CASE(a_response_before_the_request_is_sent_is_the_response),
        CASE(a_call_that_is_late_closes_its_connection),
        CASE(a_cancelled_call_closes_its_connection_and_makes_room),
        CASE(a_refused_connection_has_sent_nothing),
        CASE(hosts_are_looked_up),
        CASE(a_name_that_no_look_up_takes_is_a_fault),
        CASE(bad_responses_are_errors),
        CASE(the_client_may_be_freed_by_a_callback),
        CASE(an_idle_client_keeps_no_loop_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
