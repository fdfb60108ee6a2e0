// Responses that never come, come late, or end the retries: what becomes of their events.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tests/component/bridge/bridge_case.h"

/** The first call gets no response before the test says so. */
static struct stub_answer hold_the_first(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200, .is_held = number == 0};
}

/** The late response is not taken for that of the next call. */
static void a_call_that_timed_out_has_an_unknown_outcome(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, hold_the_first, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 1;
    config->delivery.timeout_us = 50 * CLOCK_US_PER_MS;
    case_change(&c, 1, 'c', "x");
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 1);
    stub_function_release(c.stub);
    case_change(&c, 2, 'c', "y");
    case_run_until(&c, case_has_settled, 2);
    assert_int_equal(case_metric(&c, "millrace_function_events_total{function=\"fn\",outcome=\"delivered\"}"),
                     1);
    case_drain(&c);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.reason=attempts_exhausted;"));
    assert_non_null(
        strstr(dead, "millrace.dlq.message=timed out after 50ms: no response in time; outcome unknown;"));
    case_stop(&c);
}

static struct stub_answer aborts(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 503,
                                .headers = "Retry-After: 60\r\nWebhook-Delivery: abort-message\r\n"};
}

static void a_function_that_aborts_gets_no_second_call(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, aborts, NULL);
    case_change(&c, 1, 'c', "x");
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_settled, 1);
    assert_int_equal(stub_function_count(c.stub), 1);
    case_drain(&c);
    CLEANUP(memory_free_pointer) char *dead = case_read_topic(&c, "millrace.dlq.fn", 1);
    assert_non_null(strstr(dead, "millrace.dlq.reason=rejected;"));
    assert_non_null(strstr(dead, "the function answered 503 with webhook-delivery: abort-message"));
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_timed_out_has_an_unknown_outcome),
        cmocka_unit_test(a_function_that_aborts_gets_no_second_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
