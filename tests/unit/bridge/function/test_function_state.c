#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/function/function_state.h"

struct fixture {
    struct metrics *metrics;
    struct function_metrics series;
    struct function_state state;
};

static int start(void **state)
{
    static struct fixture x;
    x.metrics = metrics_new();
    function_metrics_init(&x.series, x.metrics, "mail");
    function_state_init(&x.state, "function/mail", &x.series);
    *state = &x;
    return 0;
}

static int stop(void **state)
{
    struct fixture *x = *state;
    function_state_clear(&x->state);
    function_metrics_clear(&x->series);
    metrics_free(x->metrics);
    return 0;
}

static bool has_line(const struct fixture *x, const char *line)
{
    struct bytes out = {0};
    metrics_write(x->metrics, &out);
    bool is_there = strstr(bytes_text(&out), line) != NULL;
    bytes_clear(&out);
    return is_there;
}

static void each_state_has_its_reason_and_its_series(void **state)
{
    struct fixture *x = *state;
    assert_string_equal(function_state_text(&x->state), "starting");
    assert_false(function_state_is_ready(&x->state));
    function_state_enter(&x->state, FUNCTION_RUNNING, "assigned");
    assert_string_equal(function_state_text(&x->state), "running");
    assert_string_equal(x->state.detail, "assigned");
    assert_true(function_state_is_ready(&x->state));
    assert_true(has_line(x, "millrace_function_state{function=\"mail\",state=\"starting\"} 0"));
    assert_true(has_line(x, "millrace_function_state{function=\"mail\",state=\"running\"} 1"));
}

static void a_failure_lasts_over_its_retries(void **state)
{
    struct fixture *x = *state;
    assert_null(function_state_error(&x->state));
    function_state_enter(&x->state, FUNCTION_FAILED, "no such group");
    function_state_enter(&x->state, FUNCTION_STARTING, "retrying");
    assert_string_equal(function_state_error(&x->state)->text, "no such group");
    assert_string_equal(x->state.detail, "retrying");
    function_state_enter(&x->state, FUNCTION_RUNNING, "assigned");
    assert_null(function_state_error(&x->state));
}

static void a_failure_comes_before_an_error_of_kafka(void **state)
{
    struct fixture *x = *state;
    function_state_delay(&x->state, "no broker");
    assert_string_equal(x->state.detail, "no broker");
    assert_string_equal(function_state_error(&x->state)->text, "no broker");
    function_state_enter(&x->state, FUNCTION_FAILED, "not allowed");
    assert_string_equal(function_state_error(&x->state)->text, "not allowed");
    function_state_enter(&x->state, FUNCTION_STARTING, "retrying");
    function_state_enter(&x->state, FUNCTION_RUNNING, "assigned");
    assert_string_equal(function_state_error(&x->state)->text, "no broker");
    function_state_set_kafka_error(&x->state, NULL);
    assert_null(function_state_error(&x->state));
}

static void a_registered_function_says_that_it_joins_its_group(void **state)
{
    struct fixture *x = *state;
    assert_string_equal(x->state.detail, "registering");
    function_state_delay(&x->state, "no broker");
    function_state_join(&x->state);
    assert_string_equal(x->state.detail, "joining its group");
    assert_null(function_state_error(&x->state));
    function_state_enter(&x->state, FUNCTION_DRAINING, "asked to stop");
    function_state_join(&x->state);
    assert_string_equal(x->state.detail, "asked to stop");
}

static void while_kafka_does_not_respond_the_status_says_only_that(void **state)
{
    struct fixture *x = *state;
    function_state_set_kafka_error(&x->state, "no broker");
    assert_string_equal(function_state_detail(&x->state, 0), "no broker");
    function_state_set_kafka_error(&x->state, NULL);
    assert_string_equal(function_state_detail(&x->state, 0), "registering");
    function_state_enter(&x->state, FUNCTION_RUNNING, "assigned");
    assert_string_equal(function_state_detail(&x->state, 1), "assigned");
    assert_non_null(strstr(function_state_detail(&x->state, 0), "no partition"));
    function_state_set_kafka_error(&x->state, "no broker");
    assert_string_equal(function_state_detail(&x->state, 1), "no broker");
    assert_string_equal(function_state_detail(&x->state, 0), "no broker");
    function_state_enter(&x->state, FUNCTION_PAUSED, "paused");
    assert_string_equal(function_state_detail(&x->state, 1), "no broker");
    function_state_enter(&x->state, FUNCTION_DRAINING, "asked to stop");
    assert_string_equal(function_state_detail(&x->state, 1), "asked to stop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_state_has_its_reason_and_its_series, start, stop),
        cmocka_unit_test_setup_teardown(a_failure_lasts_over_its_retries, start, stop),
        cmocka_unit_test_setup_teardown(a_failure_comes_before_an_error_of_kafka, start, stop),
        cmocka_unit_test_setup_teardown(a_registered_function_says_that_it_joins_its_group, start, stop),
        cmocka_unit_test_setup_teardown(while_kafka_does_not_respond_the_status_says_only_that, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
