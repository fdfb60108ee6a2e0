// bridge/delivery/limiter: when calls may run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/limiter.h"

static void a_closed_limiter_opens_for_one_and_widens_with_success(void **state)
{
    (void)state;
    struct limiter l;
    limiter_init(&l, 8, 1000, 60000);
    assert_true(limiter_admits(&l, 7, 100));
    assert_false(limiter_admits(&l, 8, 100));
    assert_int_equal(limiter_close(&l, 5000, 100), 5100);
    assert_false(limiter_admits(&l, 0, 5099));
    assert_true(limiter_admits(&l, 0, 5100));
    assert_false(limiter_admits(&l, 1, 5100));
    static const size_t LIMITS[] = {2, 4, 8, 8};
    for (size_t i = 0; i < 4; i++) {
        limiter_widen(&l, l.generation);
        assert_int_equal(l.limit, LIMITS[i]);
    }
}

static void calls_that_fail_together_wait_together(void **state)
{
    (void)state;
    struct limiter l;
    limiter_init(&l, 8, 100000, 60000000);
    int64_t open_us = limiter_close(&l, 0, 0);
    assert_int_equal(limiter_close(&l, 0, 0), open_us);
    assert_int_equal(l.backoff.failures, 1);
    assert_int_equal(limiter_close(&l, 300000000, 0), 300000000);  // a longer pause is accepted
    assert_int_equal(limiter_close(&l, 1, 0), 300000000);          // a shorter one does not reduce it
}

static void an_answer_ends_the_backoff_of_a_limiter_for_one_too(void **state)
{
    (void)state;
    struct limiter l;
    limiter_init(&l, 1, 1000, 60000);
    for (uint32_t i = 1; i <= 3; i++) {
        (void)limiter_close(&l, 0, l.open_us);
        assert_int_equal(l.backoff.failures, i);
    }
    limiter_widen(&l, l.generation);
    assert_int_equal(l.limit, 1);
    assert_int_equal(l.backoff.failures, 0);
}

static void a_changed_concurrency_counts_at_once(void **state)
{
    (void)state;
    struct limiter l;
    limiter_init(&l, 8, 1000, 60000);
    limiter_adjust(&l, 16, 1000, 60000);
    assert_int_equal(l.limit, 16);
    limiter_adjust(&l, 2, 1000, 60000);
    assert_int_equal(l.limit, 2);
}

static void a_new_endpoint_opens_the_limiter_for_one_more(void **state)
{
    (void)state;
    struct limiter l;
    limiter_init(&l, 8, 1000, 60000);
    (void)limiter_close(&l, 0, 100);
    (void)limiter_close(&l, 5000000, 100);
    limiter_reopen(&l, 0);
    assert_true(limiter_admits(&l, 0, 101));
    assert_false(limiter_admits(&l, 1, 101));
    assert_int_equal(l.backoff.failures, 0);
    limiter_reopen(&l, 3);  // after calls to the previous endpoint
    assert_true(limiter_admits(&l, 3, 101));
    assert_false(limiter_admits(&l, 4, 101));
    limiter_reopen(&l, 8);
    assert_false(limiter_admits(&l, 8, 101));
}

static void one_throttled_invocation_closes_nothing(void **state)
{
    (void)state;
    struct limiter l;
    limiter_init(&l, 8, 1000, 60000);
    for (int i = 0; i < 3; i++) {  // the same call, repeatedly
        assert_false(limiter_throttle(&l, 1, 5000, 100));
        assert_true(limiter_admits(&l, 7, 100));
    }
    limiter_widen(&l, l.generation);
    assert_false(limiter_throttle(&l, 2, 5000, 100));  // another call, after a response in between
    assert_true(limiter_throttle(&l, 3, 5000, 100));
    assert_false(limiter_admits(&l, 0, 5099));
    assert_true(limiter_admits(&l, 0, 5100));
    assert_false(limiter_admits(&l, 1, 5100));
}

static void calls_that_ran_when_it_closed_do_not_widen_it(void **state)
{
    (void)state;
    struct limiter l;
    limiter_init(&l, 8, 1000, 60000);
    uint32_t before = l.generation;
    (void)limiter_close(&l, 5000, 100);
    for (int i = 0; i < 7; i++) {
        limiter_widen(&l, before);
    }
    assert_int_equal(l.limit, 1);
    limiter_widen(&l, l.generation);
    assert_int_equal(l.limit, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_limiter_opens_for_one_and_widens_with_success),
        cmocka_unit_test(calls_that_fail_together_wait_together),
        cmocka_unit_test(an_answer_ends_the_backoff_of_a_limiter_for_one_too),
        cmocka_unit_test(one_throttled_invocation_closes_nothing),
        cmocka_unit_test(calls_that_ran_when_it_closed_do_not_widen_it),
        cmocka_unit_test(a_changed_concurrency_counts_at_once),
        cmocka_unit_test(a_new_endpoint_opens_the_limiter_for_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
