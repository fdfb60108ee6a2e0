// core/http/http_client: what is read of a response, and up to which limits.
#include "tests/component/core/http/http_case.h"

static struct stub_answer answer_ok(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .garbage_bytes = 1000000};
}

static void a_body_beyond_its_limit_is_thrown_away(void **state)
{
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_ok);
    (void)http_case_post(&c, stub_function_url(c.stub), 5000);
    http_case_run_until_done(&c, 1);
    assert_int_equal(c.last.transport.kind, FAULT_NONE);
    assert_int_equal(c.last.status, 200);
    assert_string_equal(c.text, "gggggggggggggggg");
    const struct stub_call *call = stub_function_call(c.stub, 0);
    assert_string_equal(call->body, "hello");
    assert_non_null(strstr(call->head, "\r\nX-One: 1\r\nX-Two: 2\r\n"));
    assert_false(c.last.is_cut);
    http_case_stop(&c);
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
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_too_much);
    for (int i = 0; i < 4; i++) {
        (void)http_case_post(&c, stub_function_url(c.stub), 5000);
        http_case_run_until_done(&c, i + 1);
        assert_int_equal(c.last.transport.kind, FAULT_NONE);
        assert_int_equal(c.last.status, 200);
        assert_string_equal(c.text, "gggggggggggggggg");
        assert_int_equal(c.last.is_cut, i % 2);
    }
    http_case_stop(&c);
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
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_retry_after);
    for (int i = 0; i < 7; i++) {
        (void)http_case_post(&c, stub_function_url(c.stub), 5000);
        http_case_run_until_done(&c, i + 1);
        assert_int_equal(c.last.status, 429);
        if (i == 0) {
            assert_int_equal(c.last.retry_after_us, 7 * CLOCK_US_PER_S);
        } else if (i < 6) {
            assert_int_equal(c.last.retry_after_us, -1);
        } else {
            assert_true(c.last.retry_after_us > 0);
        }
    }
    http_case_stop(&c);
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
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_many_headers);
    for (int i = 0; i < 4; i++) {
        (void)http_case_post(&c, stub_function_url(c.stub), 5000);
        http_case_run_until_done(&c, i + 1);
        assert_int_equal(c.last.transport.kind, i % 2 == 0 ? FAULT_NONE : FAULT_RETRY);
        assert_int_equal(c.last.is_sent, i % 2);
        if (i % 2 == 1) {
            assert_string_equal(c.last.transport.text, "the response's headers are larger than 64 KiB");
        }
    }
    http_case_stop(&c);
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
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_control);
    for (int i = 0; i < 3; i++) {
        (void)http_case_post(&c, stub_function_url(c.stub), 5000);
        http_case_run_until_done(&c, i + 1);
        assert_int_equal(c.last.status, 500);
        assert_int_equal(c.last.is_abort, i == 0);
    }
    http_case_stop(&c);
}

static struct stub_answer answer_fields(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    static const char *const HEADERS[] = {"X-A: 1\r\nx-a:\t two words \r\nX-Empty:\r\n", "ce-id: 4:5\r\n",
                                          ""};
    return (struct stub_answer){.status = 200, .headers = HEADERS[number]};
}

static void all_headers_are_there_for_who_wants_them(void **state)
{
    (void)state;
    static const char *const FIELDS[] = {
        "Content-Length: 0\nX-A: 1\nx-a: two words\nX-Empty: \n",
        "Content-Length: 0\nce-id: 4:5\n",
        "Content-Length: 0\n",
    };
    struct http_case c;
    http_case_start(&c, answer_fields);
    for (int i = 0; i < 3; i++) {
        (void)http_case_post(&c, stub_function_url(c.stub), 5000);
        http_case_run_until_done(&c, i + 1);
        assert_string_equal(c.fields, FIELDS[i]);
    }
    http_case_stop(&c);
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
    (void)state;
    struct http_case c;
    http_case_start(&c, answer_redirect);
    (void)http_case_post(&c, stub_function_url(c.stub), 5000);
    http_case_run_until_done(&c, 1);
    assert_int_equal(c.last.status, 302);
    assert_int_equal(stub_function_count(c.stub), 1);
    http_case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_beyond_its_limit_is_thrown_away),
        cmocka_unit_test(a_body_that_is_too_long_is_cut_off),
        cmocka_unit_test(retry_after_is_read_in_both_forms),
        cmocka_unit_test(headers_without_end_are_an_error),
        cmocka_unit_test(the_header_that_stops_retries_is_read),
        cmocka_unit_test(redirects_are_reported_and_not_followed),
        cmocka_unit_test(all_headers_are_there_for_who_wants_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
