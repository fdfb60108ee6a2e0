// Both transports of core/http/http_client with a server on the same loop: requests, responses, deadlines,
// lost connections.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"
#include "core/http/http_transport.h"
#include "tests/component/bridge/stub_function.h"

struct http_case {
    uv_loop_t loop;
    uv_timer_t timer;
    struct stub_function *stub;
    const struct http_transport_type *type;
    void *client;
    int done;
    struct http_response last;
    char text[256];  // of the last body
    char location[256];
    struct http_head *heads[8];  // of the URLs called
    size_t head_count;
};

static void on_time(uv_timer_t *timer)
{
    (void)timer;
}

static void start(struct http_case *c, void **state, stub_script script)
{
    *c = (struct http_case){.type = *state};
    assert_int_equal(uv_loop_init(&c->loop), 0);
    (void)uv_timer_init(&c->loop, &c->timer);
    (void)uv_timer_start(&c->timer, on_time, 10, 10);
    c->stub = stub_function_start(&c->loop, script, c);
    c->client = c->type->open(&c->loop, 4);
}

static void stop(struct http_case *c)
{
    c->type->close(c->client);
    for (size_t i = 0; i < c->head_count; i++) {
        http_head_free(c->heads[i]);
    }
    stub_function_stop(c->stub);
    uv_close((uv_handle_t *)&c->timer, NULL);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
}

static void on_done(void *self, const struct http_response *r)
{
    struct http_case *c = self;
    c->done++;
    c->last = *r;
    size_t size = r->body.size < sizeof(c->text) - 1 ? r->body.size : sizeof(c->text) - 1;
    memcpy(c->text, size == 0 ? "" : (const char *)r->body.data, size);
    c->text[size] = '\0';
    (void)snprintf(c->location, sizeof(c->location), "%s", r->location == NULL ? "" : r->location);
}

static const struct http_head *head_of(struct http_case *c, const char *url)
{
    for (size_t i = 0; i < c->head_count; i++) {
        if (strcmp(c->heads[i]->url, url) == 0) {
            return c->heads[i];
        }
    }
    assert_true(c->head_count < COUNT_OF(c->heads));
    struct fault f;
    const struct http_head_params params = {.method = "POST", .url = url};
    assert_true(http_head_new(&params, &c->heads[c->head_count], &f));
    return c->heads[c->head_count++];
}

static struct http_call *post(struct http_case *c, const char *url, int64_t timeout_ms)
{
    struct http_request request = {
        .head = head_of(c, url),
        .header_lines = "X-One: 1\r\nX-Two: 2",
        .body = slice_of("hello"),
        .timeout_us = timeout_ms * CLOCK_US_PER_MS,
        .response_max_bytes = 16,
    };
    return c->type->send(c->client, &request, on_done, c);
}

static void run_until_done(struct http_case *c, int count)
{
    int64_t deadline_us = clock_now_us() + 60 * CLOCK_US_PER_S;
    while (c->done < count) {
        assert_true(clock_now_us() < deadline_us);
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

static struct stub_answer answer_ok(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .garbage_bytes = 1000000};
}

static void a_body_beyond_its_limit_is_thrown_away(void **state)
{
    struct http_case c;
    start(&c, state, answer_ok);
    (void)post(&c, stub_function_url(c.stub), 5000);
    run_until_done(&c, 1);
    assert_int_equal(c.last.transport.kind, FAULT_NONE);
    assert_int_equal(c.last.status, 200);
    assert_string_equal(c.text, "gggggggggggggggg");
    const struct stub_call *call = stub_function_call(c.stub, 0);
    assert_string_equal(call->body, "hello");
    assert_non_null(strstr(call->head, "\r\nX-One: 1\r\nX-Two: 2\r\n"));
    assert_false(c.last.is_cut);
    stop(&c);
}

/** 16 bytes are wanted, 1 MiB more is read. Each second response has one byte more than that. */
static struct stub_answer answer_too_much(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200, .garbage_bytes = HTTP_BODY_DISCARD_MAX + 16 + number % 2};
}

static void a_body_that_is_too_long_is_cut_off(void **state)
{
    struct http_case c;
    start(&c, state, answer_too_much);
    for (int i = 0; i < 4; i++) {
        (void)post(&c, stub_function_url(c.stub), 5000);
        run_until_done(&c, i + 1);
        assert_int_equal(c.last.transport.kind, FAULT_NONE);
        assert_int_equal(c.last.status, 200);
        assert_string_equal(c.text, "gggggggggggggggg");
        assert_int_equal(c.last.is_cut, i % 2);
    }
    stop(&c);
}

static struct stub_answer answer_retry_after(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    static const char *const HEADERS[] = {
        "Retry-After: 7\r\n", "Retry-After: 0\r\n",  "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "",
        "Retry-After: x\r\n", "Retry-After: -5\r\n", "Retry-After: Fri, 31 Dec 2099 23:59:59 GMT\r\n",
    };
    return (struct stub_answer){.status = 429, .headers = HEADERS[number]};
}

static void retry_after_is_read_in_both_forms(void **state)
{
    struct http_case c;
    start(&c, state, answer_retry_after);
    for (int i = 0; i < 7; i++) {
        (void)post(&c, stub_function_url(c.stub), 5000);
        run_until_done(&c, i + 1);
        assert_int_equal(c.last.status, 429);
        if (i == 0) {
            assert_int_equal(c.last.retry_after_us, 7 * CLOCK_US_PER_S);
        } else if (i < 6) {
            assert_int_equal(c.last.retry_after_us, -1);
        } else {
            assert_true(c.last.retry_after_us > 0);
        }
    }
    stop(&c);
}

/** Lines of 31 bytes, each second time too many of them. */
static struct stub_answer answer_many_headers(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    static const char LINE[] = "X-Filling: 0123456789abcdefgh\r\n";
    static char headers[70000];
    size_t count = (number % 2 == 0 ? 60000 : 66000) / (sizeof(LINE) - 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(headers + i * (sizeof(LINE) - 1), LINE, sizeof(LINE));
    }
    return (struct stub_answer){.status = 200, .headers = headers};
}

static void headers_without_end_are_an_error(void **state)
{
    struct http_case c;
    start(&c, state, answer_many_headers);
    for (int i = 0; i < 4; i++) {
        (void)post(&c, stub_function_url(c.stub), 5000);
        run_until_done(&c, i + 1);
        assert_int_equal(c.last.transport.kind, i % 2 == 0 ? FAULT_NONE : FAULT_RETRY);
        assert_int_equal(c.last.is_sent, i % 2);
        if (i % 2 == 1) {
            assert_string_equal(c.last.transport.text, "the response's headers are larger than 64 KiB");
        }
    }
    stop(&c);
}

static struct stub_answer answer_control(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    static const char *const HEADERS[] = {"Webhook-Delivery: Abort-Message\r\n", "Webhook-Delivery: x\r\n",
                                          ""};
    return (struct stub_answer){.status = 500, .headers = HEADERS[number]};
}

static void the_header_that_stops_retries_is_read(void **state)
{
    struct http_case c;
    start(&c, state, answer_control);
    for (int i = 0; i < 3; i++) {
        (void)post(&c, stub_function_url(c.stub), 5000);
        run_until_done(&c, i + 1);
        assert_int_equal(c.last.status, 500);
        assert_int_equal(c.last.is_abort, i == 0);
    }
    stop(&c);
}

static struct stub_answer hold_the_first(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200, .is_held = number == 0};
}

static struct stub_answer answer_late(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200, .delay_ms = number == 0 ? 100 : 0};
}

static void a_late_answer_is_never_the_next_calls_answer(void **state)
{
    struct http_case c;
    start(&c, state, hold_the_first);
    (void)post(&c, stub_function_url(c.stub), 100);
    run_until_done(&c, 1);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_true(c.last.is_timeout);
    assert_true(c.last.is_sent);
    stub_function_release(c.stub);
    (void)post(&c, stub_function_url(c.stub), 5000);
    run_until_done(&c, 2);
    assert_int_equal(c.last.status, 200);
    assert_int_equal(c.done, 2);
    stop(&c);
}

static void a_refused_connection_has_sent_nothing(void **state)
{
    struct http_case c;
    start(&c, state, answer_ok);
    (void)post(&c, "http://127.0.0.1:1/", 5000);
    run_until_done(&c, 1);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_false(c.last.is_sent);
    (void)post(&c, "http://no-such-name.invalid/", 9000);
    run_until_done(&c, 2);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_false(c.last.is_sent);
    stop(&c);
}

static void a_first_call_that_hangs_holds_no_other_back(void **state)
{
    struct http_case c;
    start(&c, state, hold_the_first);
    (void)post(&c, stub_function_url(c.stub), 60000);
    (void)post(&c, stub_function_url(c.stub), 60000);
    run_until_done(&c, 1);
    assert_int_equal(stub_function_count(c.stub), 2);
    stub_function_release(c.stub);
    run_until_done(&c, 2);
    stop(&c);
}

static struct stub_answer answer_then_reset(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = number == 0 ? 200 : 0};
}

/** libcurl by default sends the second request twice, as its reused connection was closed without a response.
 */
static void a_request_that_may_have_been_carried_out_is_not_sent_again(void **state)
{
    struct http_case c;
    start(&c, state, answer_then_reset);
    (void)post(&c, stub_function_url(c.stub), 5000);
    run_until_done(&c, 1);
    (void)post(&c, stub_function_url(c.stub), 5000);
    run_until_done(&c, 2);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_true(c.last.is_sent);
    assert_false(c.last.is_timeout);
    assert_int_equal(stub_function_count(c.stub), 2);
    stop(&c);
}

static void a_cancelled_call_never_calls_back(void **state)
{
    struct http_case c;
    start(&c, state, hold_the_first);
    struct http_call *call = post(&c, stub_function_url(c.stub), 5000);
    while (stub_function_count(c.stub) == 0) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    c.type->cancel(call);
    stub_function_release(c.stub);
    (void)post(&c, stub_function_url(c.stub), 5000);
    run_until_done(&c, 1);
    assert_int_equal(c.done, 1);
    stop(&c);
}

static struct stub_answer answer_redirect(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 302, .headers = "Location: http://127.0.0.1:1/other\r\n"};
}

static void redirects_are_reported_and_not_followed(void **state)
{
    struct http_case c;
    start(&c, state, answer_redirect);
    (void)post(&c, stub_function_url(c.stub), 5000);
    run_until_done(&c, 1);
    assert_int_equal(c.last.status, 302);
    assert_int_equal(stub_function_count(c.stub), 1);
    stop(&c);
}

static struct stub_answer answer_beside(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 302, .headers = "Location: beside\r\n"};
}

static void each_call_goes_to_its_own_url(void **state)
{
    static const char *const PATHS[] = {"a/x?q=%20", "a/x?q=%20", "b/y", "a/x?q=%20"};
    struct http_case c;
    start(&c, state, answer_beside);
    for (int i = 0; i < (int)COUNT_OF(PATHS); i++) {
        CLEANUP(memory_free_pointer) char *url = memory_format("%s/%s", stub_function_url(c.stub), PATHS[i]);
        CLEANUP(memory_free_pointer)
        char *beside = memory_format("%s/%c/beside", stub_function_url(c.stub), PATHS[i][0]);
        CLEANUP(memory_free_pointer) char *line = memory_format("POST /fn/%s HTTP/1.1\r\n", PATHS[i]);
        (void)post(&c, url, 5000);
        run_until_done(&c, i + 1);
        assert_memory_equal(stub_function_call(c.stub, i)->head, line, strlen(line));
        assert_string_equal(c.location, beside);
    }
    assert_int_equal(stub_function_count(c.stub), COUNT_OF(PATHS));
    stop(&c);
}

static void more_calls_than_connections_take_turns(void **state)
{
    struct http_case c;
    start(&c, state, answer_late);
    for (int i = 0; i < 40; i++) {
        (void)post(&c, stub_function_url(c.stub), 5000);
    }
    run_until_done(&c, 40);
    assert_true(stub_function_running_max(c.stub) <= 4);
    stop(&c);
}

/** The transport is the case's state. */
static int with_http1(void **state)
{
    *state = (void *)(uintptr_t)&http1_client;
    return 0;
}

static int with_curl(void **state)
{
    *state = (void *)(uintptr_t)&http_curl;
    return 0;
}

#define BOTH(f)                                                                                              \
    {"http1 " #f, f, with_http1, NULL, NULL},                                                                \
    {                                                                                                        \
        "curl " #f, f, with_curl, NULL, NULL                                                                 \
    }

int main(void)
{
    // A proxy that takes no connection: nobody may use it.
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("all_proxy", "http://127.0.0.1:1", 1);
    const struct CMUnitTest tests[] = {
        BOTH(a_body_beyond_its_limit_is_thrown_away),
        BOTH(a_body_that_is_too_long_is_cut_off),
        BOTH(retry_after_is_read_in_both_forms),
        BOTH(headers_without_end_are_an_error),
        BOTH(the_header_that_stops_retries_is_read),
        BOTH(a_late_answer_is_never_the_next_calls_answer),
        BOTH(a_first_call_that_hangs_holds_no_other_back),
        BOTH(a_refused_connection_has_sent_nothing),
        BOTH(a_request_that_may_have_been_carried_out_is_not_sent_again),
        BOTH(a_cancelled_call_never_calls_back),
        BOTH(redirects_are_reported_and_not_followed),
        BOTH(each_call_goes_to_its_own_url),
        BOTH(more_calls_than_connections_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
