// core/http/http1_client: calls, their connections and the reuse of these.
#include "tests/component/core/http/http1_case.h"

static void the_request_is_as_prepared(void **state)
{
    (void)state;
    struct http_request request = http1_case_request_of(http1.head, slice_of("hello"));
    request.header_lines = "X-One: 1\r\nX-Two: 2";
    (void)http1_client.send(http1.client, &request, http1_case_on_done, &http1.outcomes[0]);
    http1_case_wait_request(0, 1);
    char *wanted CLEANUP(memory_free_pointer) = memory_format(
        "POST /fn HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: millrace/" MILLRACE_VERSION
        "\r\nContent-Length: 5\r\nX-One: 1\r\nX-Two: 2\r\n\r\nhello",
        (int)(strlen(http1.server.url) - strlen("http:///fn")), http1.server.url + strlen("http://"));
    assert_string_equal(bytes_text(&http1.server.peers[0].in), wanted);
    raw_server_say(&http1.server, 0, "HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno");
    http1_case_expect_status(0, 429);
    assert_int_equal(http1.outcomes[0].response.retry_after_us, 7 * CLOCK_US_PER_S);
    assert_string_equal(http1.outcomes[0].body, "no");
}

static void the_connection_used_last_is_used_first(void **state)
{
    (void)state;
    http1_case_post(0);
    http1_case_post(1);
    http1_case_wait_request(0, 1);
    http1_case_wait_request(1, 1);
    raw_server_say(&http1.server, 1, EMPTY);
    http1_case_expect_status(1, 200);
    raw_server_say(&http1.server, 0, EMPTY);
    http1_case_expect_status(0, 200);
    for (size_t i = 2; i < 5; i++) {
        http1_case_post(i);
        http1_case_wait_request(0, i);
        raw_server_say(&http1.server, 0, EMPTY);
        http1_case_expect_status(i, 200);
    }
    assert_int_equal(http1.server.count, 2);
}

static void calls_beyond_the_connections_wait_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        http1_case_post(i);
    }
    http1_case_wait_request(0, 1);
    http1_case_wait_request(1, 1);
    http1_case_run_turns(20);
    assert_int_equal(http1.server.count, 2);
    http1.again = http1_case_request_of(http1.head, slice_of("hello"));  // comes after those that wait
    raw_server_say(&http1.server, 0, EMPTY);
    http1_case_wait_request(0, 2);
    assert_true(http1.outcomes[0].is_done);
    http1.outcomes[1].is_done = false;
    raw_server_say(&http1.server, 0, "HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n");
    http1_case_expect_status(2, 201);
    // A connection that closes makes room as well.
    http1_case_wait_request(0, 3);
    raw_server_close(&http1.server, 0);
    http1_case_expect_fault(3, true, false, "closed without a response");
    http1_case_wait_request(2, 1);
}

static void a_connection_that_the_peer_closes_is_closed_and_not_used(void **state)
{
    (void)state;
    http1_case_warm_up(0, 0);
    raw_server_close(&http1.server, 0);
    http1_case_run_turns(20);
    http1_case_warm_up(1, 1);
    raw_server_reset(&http1.server, 1);
    http1_case_run_turns(20);
    http1_case_warm_up(2, 2);
    // The loop has no turn between the end and the next request.
    raw_server_close(&http1.server, 2);
    clock_fake(clock_now_us() + CLOCK_US_PER_S, 0);
    http1_case_post(3);
    clock_fake(-1, -1);
    http1_case_wait_request(3, 1);
    raw_server_say(&http1.server, 3, EMPTY);
    http1_case_expect_status(3, 200);
}

static void the_time_that_the_peer_names_is_kept(void **state)
{
    (void)state;
    clock_fake(1000000, 0);
    http1_case_post(0);
    http1_case_wait_request(0, 1);
    raw_server_say(&http1.server, 0, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n");
    http1_case_expect_status(0, 200);
    clock_fake(4900000, 0);
    http1_case_post(1);
    http1_case_wait_request(0, 2);
    raw_server_say(&http1.server, 0, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n");
    http1_case_expect_status(1, 200);
    clock_fake(9000000, 0);
    http1_case_post(2);
    http1_case_wait_request(1, 1);
    RUN_UNTIL(http1.server.peers[0].is_ended);
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
        http1_case_post(3 * i);
        http1_case_wait_request(2 * i, 1);
        raw_server_say(&http1.server, 2 * i, RESPONSES[i]);
        http1_case_expect_status(3 * i, 200);
        now_us += 117 * CLOCK_US_PER_S;
        clock_fake(now_us, 0);
        http1_case_post(3 * i + 1);
        http1_case_wait_request(2 * i, 2);
        raw_server_say(&http1.server, 2 * i, RESPONSES[i]);
        http1_case_expect_status(3 * i + 1, 200);
        now_us += 118 * CLOCK_US_PER_S;
        clock_fake(now_us, 0);
        http1_case_post(3 * i + 2);
        http1_case_wait_request(2 * i + 1, 1);
        RUN_UNTIL(http1.server.peers[2 * i].is_ended);
        raw_server_say(&http1.server, 2 * i + 1,
                       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        http1_case_expect_status(3 * i + 2, 200);
    }
}

static void a_large_request_is_sent_as_the_socket_takes_it(void **state)
{
    (void)state;
    struct slice body = http1_case_large_body();
    ((uint8_t *)(uintptr_t)body.data)[body.size - 1] = 'z';
    http1_case_post_to(http1.head, 0, body);
    RUN_UNTIL(http1.server.count == 1);
    raw_server_pause(&http1.server, 0);
    http1_case_run_turns(50);
    raw_server_resume(&http1.server, 0);
    RUN_UNTIL(http1.server.peers[0].in.size > body.size &&
              http1.server.peers[0].in.data[http1.server.peers[0].in.size - 1] == 'z');
    raw_server_say(&http1.server, 0, EMPTY);
    http1_case_expect_status(0, 200);
    // The connection is as good as any.
    bytes_reset(&http1.server.peers[0].in);
    http1_case_post(1);
    http1_case_wait_request(0, 1);
}

static void a_cancelled_call_closes_its_connection_and_makes_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        http1_case_post(i);
    }
    http1_case_wait_request(0, 1);
    http1_case_wait_request(1, 1);
    http1_client.cancel(http1.calls[2]);  // waits
    http1_client.cancel(http1.calls[0]);  // runs
    RUN_UNTIL(http1.server.peers[0].is_ended);
    http1_case_wait_request(2, 1);
    raw_server_say(&http1.server, 2, EMPTY);
    http1_case_expect_status(3, 200);
    http1_client.cancel(http1.calls[4]);
    http1_client.cancel(http1.calls[1]);
    http1_case_post(5);
    http1_client.cancel(http1.calls[5]);  // is being connected
    http1_case_run_turns(20);
    assert_int_equal(http1.done, 1);
}

static void a_refused_connection_has_sent_nothing(void **state)
{
    (void)state;
    raw_server_refuse(&http1.server);
    http1_case_post(0);
    http1_case_expect_fault(0, false, false, "can't connect to 127.0.0.1 port");
    http1_case_post(1);
    http1_case_expect_fault(1, false, false, "Connection refused");
}

static void hosts_are_looked_up(void **state)
{
    (void)state;
    char *url CLEANUP(memory_free_pointer) =
        memory_format("http://localhost:%s", strrchr(http1.server.url, ':') + 1);
    struct http_head *head = http1_case_head_of(url);
    struct http_head *unknown = http1_case_head_of("http://no-such-name.invalid/");
    http1_case_post_to(head, 0, slice_of("hello"));
    http1_case_post_to(head, 1, slice_of("hello"));
    http1_case_wait_request(0, 1);  // if localhost is ::1 first, that refuses
    http1_case_wait_request(1, 1);
    raw_server_say(&http1.server, 0, EMPTY);
    raw_server_say(&http1.server, 1, EMPTY);
    http1_case_expect_status(0, 200);
    http1_case_expect_status(1, 200);
    // Both connections are idle: one of them makes room for another host.
    http1_case_post_to(unknown, 2, slice_of("hello"));
    http1_case_expect_fault(2, false, false, "can't look up no-such-name.invalid");
    RUN_UNTIL(http1.server.peers[0].is_ended || http1.server.peers[1].is_ended);
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
    struct http_head *head = http1_case_head_of(bytes_text(&url));
    http1_case_post_to(head, 0, slice_of("hello"));
    http1_case_expect_fault(0, false, false, "can't look up aaa");
    http_head_free(head);
}

static void the_client_may_be_freed_by_a_callback(void **state)
{
    (void)state;
    http1_case_post(0);
    http1_case_post(1);
    http1_case_post(2);
    http1_case_wait_request(0, 1);
    http1_case_wait_request(1, 1);
    http1.frees_client = true;
    raw_server_say(&http1.server, 0, EMPTY);
    http1_case_wait_done(0);
    RUN_UNTIL(http1.server.peers[0].is_ended && http1.server.peers[1].is_ended);
    assert_int_equal(http1.done, 1);
}

static void an_idle_client_keeps_no_loop_running(void **state)
{
    (void)state;
    http1_case_warm_up(0, 0);
    raw_server_stop(&http1.server);
    uv_unref((uv_handle_t *)&http1.ticker);
    for (int i = 0; i < 10; i++) {
        (void)uv_run(&http1.loop, UV_RUN_NOWAIT);
    }
    assert_false(uv_loop_alive(&http1.loop));
    uv_ref((uv_handle_t *)&http1.ticker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_request_is_as_prepared),
        CASE(the_connection_used_last_is_used_first),
        CASE(calls_beyond_the_connections_wait_in_order),
        CASE(a_connection_that_the_peer_closes_is_closed_and_not_used),
        CASE(the_time_that_the_peer_names_is_kept),
        CASE(a_connection_that_was_idle_for_long_is_not_used),
        CASE(a_large_request_is_sent_as_the_socket_takes_it),
        CASE(a_cancelled_call_closes_its_connection_and_makes_room),
        CASE(a_refused_connection_has_sent_nothing),
        CASE(hosts_are_looked_up),
        CASE(a_name_that_no_look_up_takes_is_a_fault),
        CASE(the_client_may_be_freed_by_a_callback),
        CASE(an_idle_client_keeps_no_loop_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
