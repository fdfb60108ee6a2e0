// core/http/http1_client beside a server whose responses are in pieces, too long, too late, cut off or bad.
#include "tests/component/core/http/http1_case.h"

static void a_response_in_single_bytes_is_whole(void **state)
{
    (void)state;
    static const char RESPONSE[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n2;x\r\nde\r\n0\r\nTrailer: t\r\n\r\n";
    http1_case_post(0);
    http1_case_wait_request(0, 1);
    for (const char *c = RESPONSE; *c != '\0'; c++) {
        assert_int_equal(http1.done, 0);
        raw_server_write(&http1.server, 0, slice_make(c, 1));
        http1_case_run_turns(2);
    }
    http1_case_expect_status(0, 200);
    assert_string_equal(http1.outcomes[0].body, "abcde");
    http1_case_post(1);
    http1_case_wait_request(0, 2);
}

/** Such a body, if it comes, comes after the response, and must not be read as the next one. */
static void a_204_that_announces_a_body_is_the_last_of_its_connection(void **state)
{
    (void)state;
    http1_case_post(0);
    http1_case_wait_request(0, 1);
    raw_server_say(&http1.server, 0, "HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\n");
    http1_case_expect_status(0, 204);
    http1_case_post(1);
    http1_case_wait_request(1, 1);
    RUN_UNTIL(http1.server.peers[0].is_ended);
    raw_server_say(&http1.server, 1, EMPTY);
    http1_case_expect_status(1, 200);
}

static void what_no_request_asked_for_closes_the_connection(void **state)
{
    (void)state;
    // While it is idle.
    http1_case_warm_up(0, 0);
    raw_server_say(&http1.server, 0, "HTTP/1.1 201 Smuggled\r\nContent-Length: 0\r\n\r\n");
    RUN_UNTIL(http1.server.peers[0].is_ended);
    // Together with the response.
    http1_case_post(1);
    http1_case_wait_request(1, 1);
    raw_server_say(&http1.server, 1, EMPTY "HTTP/1.1 201 Smuggled\r\nContent-Length: 0\r\n\r\n");
    http1_case_expect_status(1, 200);
    RUN_UNTIL(http1.server.peers[1].is_ended);
    // Idle, and the loop has no turn before the next request.
    http1_case_warm_up(2, 2);
    raw_server_say(&http1.server, 2, "HTTP/1.1 201 Smuggled\r\nContent-Length: 0\r\n\r\n");
    clock_fake(clock_now_us() + CLOCK_US_PER_S, 0);
    http1_case_post(3);
    clock_fake(-1, -1);
    http1_case_wait_request(3, 1);
    raw_server_say(&http1.server, 3, EMPTY);
    http1_case_expect_status(3, 200);
}

static void connections_that_the_response_ends_are_closed(void **state)
{
    (void)state;
    static const char *const RESPONSES[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    };
    for (size_t i = 0; i < COUNT_OF(RESPONSES); i++) {
        http1_case_post(i);
        http1_case_wait_request(i, 1);
        raw_server_say(&http1.server, i, RESPONSES[i]);
        http1_case_expect_status(i, 200);
        assert_string_equal(http1.outcomes[i].body, "hi");
        RUN_UNTIL(http1.server.peers[i].is_ended);
    }
    http1_case_post(2);
    http1_case_wait_request(2, 1);
    raw_server_say(&http1.server, 2, "HTTP/1.1 200 OK\r\n\r\nuntil");
    http1_case_run_turns(10);
    assert_false(http1.outcomes[2].is_done);
    raw_server_close(&http1.server, 2);
    http1_case_expect_status(2, 200);
    assert_string_equal(http1.outcomes[2].body, "until");
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
        http1_case_post(closed);
        http1_case_wait_request(closed, 1);
        raw_server_say(&http1.server, closed, PHASES[i]);
        http1_case_run_turns(5);
        raw_server_reset(&http1.server, closed);
        http1_case_expect_fault(
            closed, true, false,
            i == 0 ? "the connection broke without a response: Connection reset by peer"
                   : "the connection broke before the response was complete: Connection reset by peer");
        http1_case_post(closed + 1);
        http1_case_wait_request(closed + 1, 1);
        raw_server_say(&http1.server, closed + 1, PHASES[i]);
        http1_case_run_turns(5);
        raw_server_close(&http1.server, closed + 1);
        if (is_to_end) {
            http1_case_expect_status(closed + 1, 200);
        } else {
            http1_case_expect_fault(closed + 1, true, false,
                                    i == 0 ? "the connection was closed without a response"
                                           : "the connection was closed before the response was complete");
        }
        assert_int_equal(http1.server.count, closed + 2);
    }
}

/** 5 GB, by its length or in chunks without end: the status counts, and the connection is closed. */
static void a_body_without_end_is_cut_off(void **state)
{
    (void)state;
    http1_case_post(0);
    http1_case_wait_request(0, 1);
    raw_server_say(&http1.server, 0, "HTTP/1.1 201 X\r\nContent-Length: 5000000000\r\n\r\n");
    raw_server_say(&http1.server, 0, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    http1_case_run_turns(5);
    assert_false(http1.outcomes[0].is_done);
    raw_server_say(&http1.server, 0, "n");
    http1_case_expect_status(0, 201);
    assert_true(http1.outcomes[0].response.is_cut);
    assert_string_equal(http1.outcomes[0].body, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    RUN_UNTIL(http1.server.peers[0].is_ended);
    http1_case_post(1);
    http1_case_wait_request(1, 1);
    struct bytes chunk CLEANUP(bytes_clear) = {0};
    bytes_append_string(&chunk, "4000\r\n");
    memset(bytes_reserve(&chunk, 0x4000), 'c', 0x4000);
    chunk.size += 0x4000;
    bytes_append_string(&chunk, "\r\n");
    raw_server_say(&http1.server, 1, "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < HTTP_BODY_DISCARD_MAX / 0x4000; i++) {
        assert_false(http1.outcomes[1].is_done);
        raw_server_write(&http1.server, 1, bytes_slice(&chunk));
        http1_case_run_turns(2);
    }
    assert_false(http1.outcomes[1].is_done);  // all but 32 bytes of it are discarded
    raw_server_write(&http1.server, 1, bytes_slice(&chunk));
    http1_case_expect_status(1, 500);
    assert_true(http1.outcomes[1].response.is_cut);
    RUN_UNTIL(http1.server.peers[1].is_ended);
}

static void a_reused_connection_that_breaks_is_no_reason_to_send_again(void **state)
{
    (void)state;
    http1_case_warm_up(0, 0);
    http1_case_post(1);
    http1_case_wait_request(0, 2);
    raw_server_close(&http1.server, 0);
    http1_case_expect_fault(1, true, false, "closed without a response");
    http1_case_run_turns(10);
    assert_int_equal(http1.server.count, 1);
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
        http1_case_post_to(http1.head, i, http1_case_large_body());
        RUN_UNTIL(http1.server.count == i + 1 && http1.server.peers[i].in.size > 0);
        raw_server_pause(&http1.server, i);
        raw_server_write(&http1.server, i, bytes_slice(&response));
        if (i == 1) {
            raw_server_close(&http1.server, i);  // with unread bytes: a reset follows the response
        } else if (i == 2) {
            raw_server_close(&http1.server, i);
            http1_case_run_turns(1);
        }
        http1_case_expect_status(i, 413);
        assert_string_equal(http1.outcomes[i].body, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
        if (http1.server.peers[i].is_open) {
            raw_server_resume(&http1.server, i);
            RUN_UNTIL(http1.server.peers[i].is_ended);
        }
    }
}

static void a_call_that_is_late_closes_its_connection(void **state)
{
    (void)state;
    clock_fake(1000000, 0);
    struct http_request request = http1_case_request_of(http1.head, slice_of("hello"));
    request.timeout_us = 5000;
    for (size_t i = 0; i < 3; i++) {  // the third waits for a connection
        http1.calls[i] = http1_client.send(http1.client, &request, http1_case_on_done, &http1.outcomes[i]);
    }
    http1_case_wait_request(0, 1);
    http1_case_wait_request(1, 1);
    raw_server_say(&http1.server, 0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnever");
    http1_case_run_turns(10);
    clock_fake(1004999, 0);
    http1_case_run_turns(10);
    assert_int_equal(http1.done, 0);
    clock_fake(1005000, 0);
    http1_case_expect_fault(0, true, true, "the response was not complete in time");
    http1_case_expect_fault(1, true, true, "no response in time");
    http1_case_expect_fault(2, false, true, "no connection became free in time");
    RUN_UNTIL(http1.server.peers[0].is_ended && http1.server.peers[1].is_ended);
    assert_int_equal(http1.outcomes[0].response.took_us, 5000);
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
        http1_case_post(i);
        http1_case_wait_request(i, 1);
        raw_server_say(&http1.server, i, RESPONSES[i]);
        http1_case_expect_fault(i, true, false, "the response");
        RUN_UNTIL(http1.server.peers[i].is_ended);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_response_in_single_bytes_is_whole),
        CASE(a_204_that_announces_a_body_is_the_last_of_its_connection),
        CASE(what_no_request_asked_for_closes_the_connection),
        CASE(connections_that_the_response_ends_are_closed),
        CASE(a_reset_is_an_error_in_each_phase),
        CASE(a_body_without_end_is_cut_off),
        CASE(a_reused_connection_that_breaks_is_no_reason_to_send_again),
        CASE(a_response_before_the_request_is_sent_is_the_response),
        CASE(a_call_that_is_late_closes_its_connection),
        CASE(bad_responses_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
