// core/http/http_client: calls, deadlines, lost connections.
#include "tests/component/core/http/http_case.h"

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
    (void)state;
    struct http_case c;
    http_case_start(&c, hold_the_first);
    (void)http_case_post(&c, stub_function_url(c.stub), 100);
    http_case_run_until_done(&c, 1);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_true(c.last.is_timeout);
    assert_true(c.last.is_sent);
    stub_function_release(c.stub);
    (void)http_case_post(&c, stub_function_url(c.stub), 5000);
    http_case_run_until_done(&c, 2);
    assert_int_equal(c.last.status, 200);
    assert_int_equal(c.done, 2);
    http_case_stop(&c);
}

static void a_refused_connection_has_sent_nothing(void **state)
{
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_late);
    (void)http_case_post(&c, "http://127.0.0.1:1/", 5000);
    http_case_run_until_done(&c, 1);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_false(c.last.is_sent);
    (void)http_case_post(&c, "http://no-such-name.invalid/", 9000);
    http_case_run_until_done(&c, 2);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_false(c.last.is_sent);
    http_case_stop(&c);
}

static void a_first_call_that_hangs_holds_no_other_back(void **state)
{
    (void)state;
    struct http_case c;
    http_case_start(&c, hold_the_first);
    (void)http_case_post(&c, stub_function_url(c.stub), 60000);
    (void)http_case_post(&c, stub_function_url(c.stub), 60000);
    http_case_run_until_done(&c, 1);
    assert_int_equal(stub_function_count(c.stub), 2);
    stub_function_release(c.stub);
    http_case_run_until_done(&c, 2);
    http_case_stop(&c);
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
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_then_reset);
    (void)http_case_post(&c, stub_function_url(c.stub), 5000);
    http_case_run_until_done(&c, 1);
    (void)http_case_post(&c, stub_function_url(c.stub), 5000);
    http_case_run_until_done(&c, 2);
    assert_int_equal(c.last.transport.kind, FAULT_RETRY);
    assert_true(c.last.is_sent);
    assert_false(c.last.is_timeout);
    assert_int_equal(stub_function_count(c.stub), 2);
    http_case_stop(&c);
}

static void a_cancelled_call_never_calls_back(void **state)
{
    (void)state;
    struct http_case c;
    http_case_start(&c, hold_the_first);
    struct http_call *call = http_case_post(&c, stub_function_url(c.stub), 5000);
    while (stub_function_count(c.stub) == 0) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    http_call_cancel(call);
    stub_function_release(c.stub);
    (void)http_case_post(&c, stub_function_url(c.stub), 5000);
    http_case_run_until_done(&c, 1);
    assert_int_equal(c.done, 1);
    http_case_stop(&c);
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
    (void)state;
    static const char *const PATHS[] = {"a/x?q=%20", "a/x?q=%20", "b/y", "a/x?q=%20"};
    struct http_case c;
    http_case_start(&c, answer_beside);
    for (int i = 0; i < (int)COUNT_OF(PATHS); i++) {
        CLEANUP(memory_free_pointer) char *url = memory_format("%s/%s", stub_function_url(c.stub), PATHS[i]);
        CLEANUP(memory_free_pointer)
        char *beside = memory_format("%s/%c/beside", stub_function_url(c.stub), PATHS[i][0]);
        CLEANUP(memory_free_pointer) char *line = memory_format("POST /fn/%s HTTP/1.1\r\n", PATHS[i]);
        (void)http_case_post(&c, url, 5000);
        http_case_run_until_done(&c, i + 1);
        assert_memory_equal(stub_function_call(c.stub, i)->head, line, strlen(line));
        assert_string_equal(c.location, beside);
    }
    assert_int_equal(stub_function_count(c.stub), COUNT_OF(PATHS));
    http_case_stop(&c);
}

static void a_target_replaces_path_and_query(void **state)
{
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_beside);
    CLEANUP(memory_free_pointer) char *beside = memory_format("%s/rows/beside", stub_function_url(c.stub));
    CLEANUP(memory_free_pointer) char *own = memory_format("%s/own?a=b", stub_function_url(c.stub));
    c.method = "PATCH";
    for (int i = 0; i < 4; i++) {
        c.target = i % 2 == 0 ? "/fn/rows/7?x=%20y" : NULL;
        const char *line =
            i % 2 == 0 ? "PATCH /fn/rows/7?x=%20y HTTP/1.1\r\n" : "PATCH /fn/own?a=b HTTP/1.1\r\n";
        (void)http_case_post(&c, own, 5000);
        http_case_run_until_done(&c, i + 1);
        assert_memory_equal(stub_function_call(c.stub, i)->head, line, strlen(line));
        assert_string_equal(stub_function_call(c.stub, i)->body, "hello");
        assert_int_equal(strcmp(c.location, beside) == 0, i % 2 == 0);
    }
    http_case_stop(&c);
}

static void more_calls_than_connections_take_turns(void **state)
{
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_late);
    for (int i = 0; i < 40; i++) {
        (void)http_case_post(&c, stub_function_url(c.stub), 5000);
    }
    http_case_run_until_done(&c, 40);
    assert_true(stub_function_running_max(c.stub) <= 4);
    http_case_stop(&c);
}

int main(void)
{
    // A proxy that takes no connection: nobody may use it.
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("all_proxy", "http://127.0.0.1:1", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_answer_is_never_the_next_calls_answer),
        cmocka_unit_test(a_first_call_that_hangs_holds_no_other_back),
        cmocka_unit_test(a_refused_connection_has_sent_nothing),
        cmocka_unit_test(a_request_that_may_have_been_carried_out_is_not_sent_again),
        cmocka_unit_test(a_cancelled_call_never_calls_back),
        cmocka_unit_test(each_call_goes_to_its_own_url),
        cmocka_unit_test(a_target_replaces_path_and_query),
        cmocka_unit_test(more_calls_than_connections_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
