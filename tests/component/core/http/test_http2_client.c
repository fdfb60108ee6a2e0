// core/http/http_client in HTTP/2, beside a server that writes frames as the test says (RFC 9113, 4.1: length
// in 24 bits, type, flags, stream in 32 bits).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"
#include "tests/component/core/http/raw_server.h"

#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define SETTINGS_TWO_STREAMS "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\2"
#define OK(stream) "\0\0\1\1\5\0\0\0" stream "\x88"        // HEADERS, END_STREAM, :status 200
#define OK_BEGUN(stream) "\0\0\1\1\4\0\0\0" stream "\x88"  // without END_STREAM
#define EARLY(stream)                                                                                        \
    "\0\0\5\1\4\0\0\0" stream "\x08\x03"                                                                     \
    "103"  // HEADERS, :status 103
#define DATA(stream) "\0\0\3\0\1\0\0\0" stream "abc"
#define DATA_BEGUN(stream) "\0\0\3\0\0\0\0\0" stream "abc"
#define RESET(stream, code) "\0\0\4\3\0\0\0\0" stream "\0\0\0" code
#define GOAWAY(last) "\0\0\x8\7\0\0\0\0\0\0\0\0" last "\0\0\0\0"
#define PING(eight) "\0\0\x8\6\0\0\0\0\0" eight
#define REFUSED "\7"
#define INTERNAL "\2"

enum { CALLS = 8 };

struct outcome {
    bool is_done;
    struct http_response response;
    char body[16];
    char fields[64];
};

static struct {
    uv_loop_t loop;
    uv_timer_t ticker;
    struct raw_server server;
    struct http_client *client;
    struct http_head *head;
    struct http_call *calls[CALLS];
    struct outcome outcomes[CALLS];
} t;

#define RUN_UNTIL(condition)                                                                                 \
    do {                                                                                                     \
        time_t end_s_ = time(NULL) + 60;                                                                     \
        while (!(condition)) {                                                                               \
            assert_true(time(NULL) < end_s_);                                                                \
            (void)uv_run(&t.loop, UV_RUN_ONCE);                                                              \
        }                                                                                                    \
    } while (0)
#define SAY(peer, frames) raw_server_write(&t.server, peer, slice_make(frames, sizeof(frames) - 1))

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
    const struct http_client_params params = {.connections_max = 2, .version = HTTP_VERSION_2};
    t.client = http_client_new(&t.loop, &params);
    struct fault f;
    const struct http_header header = {"X-Own", "1", false};
    const struct http_head_params head = {"POST", t.server.url, &header, 1, NULL, NULL};
    assert_true(http_head_new(&head, &t.head, &f));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clock_fake(-1, -1);
    http_client_free(t.client);
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
    (void)snprintf(o->body, sizeof(o->body), "%.*s", (int)r->body.size,
                   r->body.size == 0 ? "" : (const char *)r->body.data);
    for (size_t i = 0; i < r->field_count; i++) {
        size_t at = strlen(o->fields);
        (void)snprintf(o->fields + at, sizeof(o->fields) - at, "%.*s ", (int)r->fields[i].name.size,
                       (const char *)r->fields[i].name.data);
    }
}

static void post_body(size_t number, struct slice body, int64_t timeout_us)
{
    const struct http_request request = {
        .head = t.head,
        .header_lines = "ce-id: 7\r\nX-Two:\t2",
        .body = body,
        .timeout_us = timeout_us,
        .response_max_bytes = 8,
        .wants_fields = true,
    };
    t.calls[number] = http_client_send(t.client, &request, on_done, &t.outcomes[number]);
}

static void post(size_t number)
{
    post_body(number, slice_of("hello"), 60 * CLOCK_US_PER_S);
}

/** How often these five bytes have arrived. */
static size_t count_of(size_t peer, const char *five)
{
    size_t count = 0;
    if (peer >= t.server.count) {
        return 0;
    }
    struct slice in = bytes_slice(&t.server.peers[peer].in);
    for (size_t i = 0; i + 5 <= in.size; i++) {
        count += memcmp(in.data + i, five, 5) == 0 ? 1 : 0;
    }
    return count;
}

/** How many requests, which all have the body "hello", have arrived. */
static size_t requests_of(size_t peer)
{
    return count_of(peer, "hello");
}

static void expect_ok(size_t number, const char *body)
{
    RUN_UNTIL(t.outcomes[number].is_done);
    const struct outcome *o = &t.outcomes[number];
    if (o->response.transport.kind != FAULT_NONE) {
        fail_msg("call %zu: %s", number, o->response.transport.text);
    }
    assert_int_equal(o->response.status, 200);
    assert_string_equal(o->body, body);
}

static void expect_fault(size_t number, bool is_sent, const char *says)
{
    RUN_UNTIL(t.outcomes[number].is_done);
    const struct http_response *r = &t.outcomes[number].response;
    assert_int_equal(r->transport.kind, FAULT_RETRY);
    assert_int_equal(r->is_sent, is_sent);
    if (strstr(r->transport.text, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", r->transport.text, says);
    }
}

static void calls_share_one_connection(void **state)
{
    (void)state;
    post(0);
    post(1);
    post(2);
    RUN_UNTIL(requests_of(0) == 3);
    SAY(0, SETTINGS OK("\5") OK_BEGUN("\1") OK("\3") DATA("\1"));
    expect_ok(2, "");
    expect_ok(0, "abc");
    expect_ok(1, "");
    assert_int_equal(t.server.count, 1);
}

static void a_response_may_follow_an_informational_one(void **state)
{
    (void)state;
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS EARLY("\1") OK_BEGUN("\1") DATA("\1"));
    expect_ok(0, "abc");
    assert_string_equal(t.outcomes[0].fields, "");
}

static void no_more_streams_than_the_server_takes(void **state)
{
    (void)state;
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS_TWO_STREAMS OK("\1"));
    expect_ok(0, "");
    for (size_t i = 1; i < 7; i++) {
        post(i);
    }
    RUN_UNTIL(requests_of(0) == 3 && requests_of(1) == 2);  // and two calls wait
    SAY(0, OK("\3"));
    RUN_UNTIL(requests_of(0) == 4);
    SAY(1, SETTINGS_TWO_STREAMS OK("\1"));
    RUN_UNTIL(requests_of(1) == 3);
    SAY(0, OK("\5") OK("\7"));
    SAY(1, OK("\3") OK("\5"));
    for (size_t i = 1; i < 7; i++) {
        expect_ok(i, "");
    }
    assert_int_equal(t.server.count, 2);
}

/** What the server has not acted on goes to another connection; what it may have acted on is not repeated. */
static void a_goaway_repeats_only_what_was_not_begun(void **state)
{
    (void)state;
    post(0);
    post(1);
    RUN_UNTIL(requests_of(0) == 2);
    SAY(0, SETTINGS GOAWAY("\1"));
    RUN_UNTIL(requests_of(1) == 1);
    post(2);
    RUN_UNTIL(requests_of(1) == 2);
    SAY(0, OK("\1"));
    SAY(1, SETTINGS OK("\1") OK("\3"));
    expect_ok(0, "");
    expect_ok(1, "");
    expect_ok(2, "");
    assert_int_equal(requests_of(0), 2);
    assert_int_equal(requests_of(1), 2);
    RUN_UNTIL(t.server.peers[0].is_ended);  // we close it
}

static void a_refused_stream_is_sent_again_and_not_for_ever(void **state)
{
    (void)state;
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS RESET("\1", REFUSED));
    RUN_UNTIL(requests_of(0) == 2);
    SAY(0, RESET("\3", REFUSED));
    RUN_UNTIL(requests_of(0) == 3);
    SAY(0, RESET("\5", REFUSED));
    RUN_UNTIL(requests_of(0) == 4);
    SAY(0, RESET("\7", REFUSED));
    expect_fault(0, false, "took no more requests");
}

/** Refuses the request that has arrived last on the first connection, and waits until the client knows. */
static void refuse_last(void)
{
    size_t pings = count_of(0, "ping!");
    char frames[] = RESET("\1", REFUSED) PING("xxxping!");
    frames[8] = (char)(2 * requests_of(0) - 1);  // their streams are 1, 3, 5...
    SAY(0, frames);
    RUN_UNTIL(count_of(0, "ping!") == pings + 1);
}

/** What the client sends at once arrives meanwhile. */
static void turn(void)
{
    for (int i = 0; i < 5; i++) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
}

/** One that has served a request and refuses all others is asked less and less often, up to the timeout. */
static void a_server_that_refuses_all_is_not_hammered(void **state)
{
    (void)state;
    int64_t now_us = CLOCK_US_PER_S;
    clock_fake(now_us, now_us);
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS OK("\1"));
    expect_ok(0, "");
    post_body(1, slice_of("hello"), 60 * CLOCK_US_PER_S);
    RUN_UNTIL(requests_of(0) == 2);
    refuse_last();
    RUN_UNTIL(requests_of(0) == 3);  // the first time at once
    for (size_t sent = 3; sent < 10; sent++) {
        refuse_last();
        turn();
        assert_int_equal(requests_of(0), sent);
        now_us += 2 * CLOCK_US_PER_S;
        clock_fake(now_us, now_us);
        RUN_UNTIL(requests_of(0) == sent + 1);
    }
    SAY(0, OK("\23"));
    expect_ok(1, "");
    post_body(2, slice_of("hello"), 60 * CLOCK_US_PER_S);
    RUN_UNTIL(requests_of(0) == 11);
    refuse_last();
    RUN_UNTIL(requests_of(0) == 12);
    refuse_last();
    turn();
    clock_fake(now_us + 60 * CLOCK_US_PER_S, now_us);
    expect_fault(2, false, "took no more requests");
    assert_true(t.outcomes[2].response.is_timeout);
    assert_int_equal(requests_of(0), 12);
}

static void a_paused_call_may_be_cancelled(void **state)
{
    (void)state;
    clock_fake(CLOCK_US_PER_S, CLOCK_US_PER_S);
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS OK("\1"));
    expect_ok(0, "");
    post(1);
    for (size_t sent = 2; sent < 4; sent++) {
        RUN_UNTIL(requests_of(0) == sent);
        refuse_last();
    }
    turn();
    http_call_cancel(t.calls[1]);
    clock_fake(10 * CLOCK_US_PER_S, CLOCK_US_PER_S);
    turn();
    assert_int_equal(requests_of(0), 3);
    assert_false(t.outcomes[1].is_done);
}

static void a_reset_stream_may_have_been_carried_out(void **state)
{
    (void)state;
    post(0);
    post(1);
    RUN_UNTIL(requests_of(0) == 2);
    SAY(0, SETTINGS RESET("\1", INTERNAL) OK_BEGUN("\3") RESET("\3", INTERNAL));
    expect_fault(0, true, "ended the stream without a response: INTERNAL_ERROR");
    expect_fault(1, true, "before the response was complete");
    post(2);
    RUN_UNTIL(requests_of(0) == 3);
    SAY(0, OK("\5"));
    expect_ok(2, "");
    assert_int_equal(t.server.count, 1);
}

static void a_lost_connection_ends_its_calls(void **state)
{
    (void)state;
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS OK_BEGUN("\1") DATA_BEGUN("\1"));
    raw_server_close(&t.server, 0);
    expect_fault(0, true, "closed");
    post(1);
    RUN_UNTIL(requests_of(1) == 1);
    SAY(1, SETTINGS OK("\1"));
    expect_ok(1, "");
}

/** The next request finds that out first, before the loop has read the response. */
static void a_response_before_a_reset_counts(void **state)
{
    (void)state;
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS OK("\1"));
    raw_server_reset(&t.server, 0);
    post(1);
    expect_ok(0, "");
    RUN_UNTIL(t.outcomes[1].is_done || requests_of(1) == 1);
    if (t.outcomes[1].is_done) {
        assert_int_equal(t.outcomes[1].response.transport.kind, FAULT_RETRY);
    }
}

static void a_connection_closed_between_requests_harms_none(void **state)
{
    (void)state;
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS OK("\1"));
    expect_ok(0, "");
    raw_server_close(&t.server, 0);
    for (int i = 0; i < 5; i++) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    post(1);
    RUN_UNTIL(requests_of(1) == 1);
    SAY(1, SETTINGS OK("\1"));
    expect_ok(1, "");
}

static void another_protocol_is_named(void **state)
{
    (void)state;
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    expect_fault(0, true, "does not speak HTTP/2");
}

static void a_late_call_is_reset_and_a_silent_connection_not_used_again(void **state)
{
    (void)state;
    clock_fake(1000000, 1000000);
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS);
    for (int i = 0; i < 5; i++) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    clock_fake(2000000, 2000000);
    post_body(1, slice_of("hello"), 1000);
    RUN_UNTIL(requests_of(0) == 2);
    clock_fake(3000000, 3000000);
    expect_fault(1, true, "no response in time");
    post(2);
    RUN_UNTIL(requests_of(1) == 1);
    SAY(1, SETTINGS OK("\1"));
    expect_ok(2, "");
    SAY(0, OK("\1"));
    expect_ok(0, "");
}

static void a_cancelled_call_never_calls_back(void **state)
{
    (void)state;
    post(0);
    post(1);
    http_call_cancel(t.calls[1]);
    post(1);
    RUN_UNTIL(requests_of(0) == 2);
    http_call_cancel(t.calls[0]);
    SAY(0, SETTINGS OK("\1") OK("\3"));
    expect_ok(1, "");
    assert_false(t.outcomes[0].is_done);
}

/** A body that is larger than the server's window; it responds before it has all of it. */
static void an_early_response_ends_the_request(void **state)
{
    (void)state;
    static uint8_t body[200000];
    post_body(0, slice_make(body, sizeof(body)), 60 * CLOCK_US_PER_S);
    RUN_UNTIL(t.server.count == 1 && t.server.peers[0].in.size > 65535);
    SAY(0, SETTINGS OK("\1"));
    expect_ok(0, "");
    assert_true(t.server.peers[0].in.size < sizeof(body));
}

static void headers_without_end_are_an_error(void **state)
{
    (void)state;
    static uint8_t frame[9 + 1 + 16000] = {0, 0x3e, 0x81, 1, 0, 0, 0, 0, 1, 0x88};
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    SAY(0, SETTINGS);
    // Literal fields without indexing, 250 bytes each.
    for (size_t at = 10; at + 254 <= sizeof(frame); at += 254) {
        memcpy(frame + at,
               "\x00\x01"
               "a\x7f\x7a",
               5);
        memset(frame + at + 5, 'x', 249);
    }
    size_t used = 10 + (sizeof(frame) - 10) / 254 * 254;
    frame[1] = (uint8_t)((used - 9) >> 8);
    frame[2] = (uint8_t)(used - 9);
    raw_server_write(&t.server, 0, slice_make(frame, used));
    frame[3] = 9;  // CONTINUATION
    for (int i = 0; i < 4 && !t.outcomes[0].is_done && t.server.peers[0].is_open; i++) {
        struct bytes next CLEANUP(bytes_clear) = {0};
        bytes_append(&next, frame, 9);
        bytes_append(&next, frame + 10, used - 10);
        next.data[1] = (uint8_t)((used - 10) >> 8);
        next.data[2] = (uint8_t)(used - 10);
        next.data[4] = i == 3 ? 4 : 0;
        raw_server_write(&t.server, 0, bytes_slice(&next));
        (void)uv_run(&t.loop, UV_RUN_NOWAIT);
    }
    expect_fault(0, true, "headers are larger than 64 KiB");
}

/** What its headers say is not known, so it is no success either. */
static void a_complete_response_with_large_headers_is_an_error(void **state)
{
    (void)state;
    // One field of 3001 bytes for the table of header compression, and then 29 times by its number.
    static uint8_t frame[9 + 1 + 6 + 3000 + 29] = {0, 0, 0, 1, 5, 0, 0, 0, 1, 0x88};
    post(0);
    RUN_UNTIL(requests_of(0) == 1);
    frame[1] = (sizeof(frame) - 9) >> 8;
    frame[2] = (sizeof(frame) - 9) & 0xff;
    memcpy(frame + 10,
           "\x40\x01"
           "a\x7f\xb9\x16",
           6);  // 3000 - 127 = 57 + 22 * 128
    memset(frame + 16, 'x', 3000);
    memset(frame + 3016, 0xbe, 29);
    SAY(0, SETTINGS);
    raw_server_write(&t.server, 0, slice_make(frame, sizeof(frame)));
    expect_fault(0, true, "headers are larger than 64 KiB");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(calls_share_one_connection),
        CASE(a_response_may_follow_an_informational_one),
        CASE(no_more_streams_than_the_server_takes),
        CASE(a_goaway_repeats_only_what_was_not_begun),
        CASE(a_refused_stream_is_sent_again_and_not_for_ever),
        CASE(a_server_that_refuses_all_is_not_hammered),
        CASE(a_paused_call_may_be_cancelled),
        CASE(a_reset_stream_may_have_been_carried_out),
        CASE(a_lost_connection_ends_its_calls),
        CASE(a_response_before_a_reset_counts),
        CASE(a_connection_closed_between_requests_harms_none),
        CASE(another_protocol_is_named),
        CASE(a_late_call_is_reset_and_a_silent_connection_not_used_again),
        CASE(a_cancelled_call_never_calls_back),
        CASE(an_early_response_ends_the_request),
        CASE(headers_without_end_are_an_error),
        CASE(a_complete_response_with_large_headers_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
