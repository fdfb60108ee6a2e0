// bridge/endpoints/auth/aws_credentials: renewal on the fake clock, against a container's credentials
// endpoint on the same loop.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bridge/endpoints/auth/aws_credentials.h"
#include "core/base/clock.h"
#include "tests/component/bridge/stub_function.h"

#define SECOND INT64_C(1000000)
#define NOW (INT64_C(1767225600) * SECOND)  // 2026-01-01T00:00:00Z

struct credentials_case {
    uv_loop_t loop;
    struct stub_function *stub;
    struct aws_credentials *credentials;
    int status;  // of the next answers
    char body[256];
    int ready;
    int failed;
    struct fault last;
};

static struct credentials_case c;

static struct stub_answer answer(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    // Keys of one hour, each with its own id.
    (void)snprintf(c.body, sizeof(c.body),
                   "{\"AccessKeyId\":\"A%zu\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                   "\"Expiration\":\"2026-01-01T%02zu:00:00Z\"}",
                   number, number + 1);
    return (struct stub_answer){.status = c.status, .body = c.body};
}

static void on_ready(struct auth_wait *wait, const struct fault *f)
{
    (void)wait;
    c.ready += f == NULL ? 1 : 0;
    c.failed += f == NULL ? 0 : 1;
    if (f != NULL) {
        c.last = *f;
    }
}

static void at(int64_t seconds)
{
    clock_fake(seconds * SECOND + 1, NOW + seconds * SECOND);
}

static void run_until(int *count, int wanted)
{
    while (*count < wanted) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
}

static void run_until_renewed(uint64_t wanted)
{
    uint64_t number = 0;
    while (aws_credentials_keys(c.credentials, &number), number < wanted) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
}

static enum auth_state prepare(struct auth_wait *wait)
{
    *wait = (struct auth_wait){.on_ready = on_ready};
    return aws_credentials_prepare(c.credentials, wait);
}

/** For a call whose keys of this number were refused. */
static enum auth_state prepare_again(struct auth_wait *wait, uint64_t refused)
{
    *wait = (struct auth_wait){.on_ready = on_ready, .refused = refused};
    return aws_credentials_prepare(c.credentials, wait);
}

static int start(void **state)
{
    (void)state;
    c = (struct credentials_case){.status = 200};
    at(0);
    assert_int_equal(uv_loop_init(&c.loop), 0);
    c.stub = stub_function_start(&c.loop, answer, NULL);
    (void)setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
    (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", stub_function_url(c.stub), 1);
    c.credentials = aws_credentials_open(&(struct aws_config){0}, "eu-west-1", &c.loop);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    aws_credentials_close(c.credentials);
    stub_function_stop(c.stub);
    (void)uv_run(&c.loop, UV_RUN_DEFAULT);
    clock_fake(-1, 0);
    return uv_loop_close(&c.loop);
}

static void many_calls_need_one_request(void **state)
{
    (void)state;
    struct auth_wait waits[5];
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        assert_int_equal(prepare(&waits[i]), AUTH_WAITS);
    }
    struct aws_credentials *other =
        aws_credentials_open(&(struct aws_config){0}, "eu-west-1", &c.loop);  // of another function
    assert_ptr_equal(other, c.credentials);
    aws_credentials_close(other);
    aws_credentials_cancel(c.credentials, &waits[2]);
    run_until(&c.ready, 4);
    assert_int_equal(stub_function_count(c.stub), 1);
    assert_int_equal(prepare(&waits[0]), AUTH_READY);
    assert_int_equal(c.ready, 4);
}

static void keys_are_renewed_before_they_expire_while_the_old_ones_go_on(void **state)
{
    (void)state;
    struct auth_wait wait;
    assert_int_equal(prepare(&wait), AUTH_WAITS);
    run_until(&c.ready, 1);
    at(3600 - 601);  // ten minutes before at the earliest
    assert_int_equal(prepare(&wait), AUTH_READY);
    at(3600 - 299);  // five minutes before at the latest
    assert_int_equal(prepare(&wait), AUTH_READY);
    assert_int_equal(prepare(&wait), AUTH_READY);
    uint64_t number;
    assert_string_equal(aws_credentials_keys(c.credentials, &number)->access_key_id, "A0");
    run_until_renewed(2);
    assert_int_equal(stub_function_count(c.stub), 2);
    assert_string_equal(aws_credentials_keys(c.credentials, &number)->access_key_id, "A1");
}

static void a_renewal_that_fails_harms_calls_only_when_the_old_keys_have_expired(void **state)
{
    (void)state;
    struct auth_wait wait;
    assert_int_equal(prepare(&wait), AUTH_WAITS);
    run_until(&c.ready, 1);
    c.status = 500;
    at(3600 - 100);
    assert_int_equal(prepare(&wait), AUTH_READY);
    while (stub_function_count(c.stub) < 2) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    at(3600 + 1);
    assert_int_equal(prepare(&wait), AUTH_WAITS);
    run_until(&c.failed, 1);
    assert_non_null(strstr(c.last.text, "no AWS credentials: the container's credentials endpoint"));
    assert_non_null(strstr(c.last.text, "answered 500"));
    size_t asked = stub_function_count(c.stub);
    assert_int_equal(prepare(&wait), AUTH_WAITS);  // within the backoff: it fails at once
    run_until(&c.failed, 2);
    assert_int_equal(stub_function_count(c.stub), asked);
    c.status = 200;
    at(3600 + 60);
    assert_int_equal(prepare(&wait), AUTH_WAITS);
    run_until(&c.ready, 2);
    assert_int_equal(stub_function_count(c.stub), asked + 1);
}

static void refused_keys_are_renewed_once_in_a_while(void **state)
{
    (void)state;
    struct auth_wait wait;
    assert_int_equal(prepare(&wait), AUTH_WAITS);
    run_until(&c.ready, 1);
    assert_true(aws_credentials_refuse(c.credentials, 1));
    assert_int_equal(prepare_again(&wait, 1), AUTH_WAITS);
    struct auth_wait other;
    assert_int_equal(prepare(&other), AUTH_READY);  // of another function: what it lacks may be a right
    run_until(&c.ready, 2);
    assert_true(aws_credentials_refuse(c.credentials, 1));  // a late response to the old ones
    assert_int_equal(prepare_again(&wait, 1), AUTH_READY);
    assert_false(aws_credentials_refuse(c.credentials, 2));  // the new ones: it is not the keys
    at(11);
    assert_true(aws_credentials_refuse(c.credentials, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_calls_need_one_request, start, stop),
        cmocka_unit_test_setup_teardown(keys_are_renewed_before_they_expire_while_the_old_ones_go_on, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_renewal_that_fails_harms_calls_only_when_the_old_keys_have_expired,
                                        start, stop),
        cmocka_unit_test_setup_teardown(refused_keys_are_renewed_once_in_a_while, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
