// core/base/backoff: waits grow, have a limit and are random.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/backoff.h"
#include "core/base/clock.h"

static void waits_stay_under_the_doubling_ceiling_and_the_maximum(void **state)
{
    (void)state;
    struct backoff b = backoff_make(200000, 30000000);
    int64_t ceiling = 200000;
    for (int i = 0; i < 20; i++) {
        int64_t wait = backoff_next_us(&b);
        assert_true(wait >= 1000);
        assert_true(wait <= ceiling);
        ceiling = ceiling * 2 > 30000000 ? 30000000 : ceiling * 2;
    }
    assert_int_equal(b.failures, 20);
}

static void no_wait_is_longer_than_the_trouble_has_lasted(void **state)
{
    (void)state;
    struct backoff b = backoff_make(200000, 30000000);
    int64_t now_us = 1000000;
    for (int i = 0; i < 60; i++) {  // 6 s of attempts that fail immediately
        clock_fake(now_us + i * 100000, 0);
        (void)backoff_next_us(&b);
    }
    for (int i = 0; i < 200; i++) {
        assert_true(backoff_next_us(&b) <= 6000000);
    }
    clock_fake(now_us + INT64_C(600000000), 0);
    int64_t longest = 0;
    for (int i = 0; i < 200; i++) {
        int64_t wait = backoff_next_us(&b);
        longest = wait > longest ? wait : longest;
    }
    assert_true(longest > 20000000 && longest <= 30000000);
    clock_fake(-1, 0);
}

static void a_success_starts_again_at_the_first_ceiling(void **state)
{
    (void)state;
    struct backoff b = backoff_make(200000, 30000000);
    for (int i = 0; i < 10; i++) {
        (void)backoff_next_us(&b);
    }
    backoff_reset(&b);
    for (int i = 0; i < 100; i++) {
        assert_true(backoff_wait_us(&b, 0) <= 200000);
    }
}

static void waits_of_many_senders_are_spread(void **state)
{
    (void)state;
    struct backoff b = backoff_make(1000000, 1000000);
    int low = 0;
    for (int i = 0; i < 1000; i++) {
        low += backoff_wait_us(&b, 0) < 500000 ? 1 : 0;
    }
    assert_in_range(low, 400, 600);
}

static void a_huge_count_of_failures_does_not_overflow(void **state)
{
    (void)state;
    struct backoff b = backoff_make(1, INT64_MAX / 4);
    assert_true(backoff_wait_us(&b, UINT32_MAX) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_stay_under_the_doubling_ceiling_and_the_maximum),
        cmocka_unit_test(no_wait_is_longer_than_the_trouble_has_lasted),
        cmocka_unit_test(a_success_starts_again_at_the_first_ceiling),
        cmocka_unit_test(waits_of_many_senders_are_spread),
        cmocka_unit_test(a_huge_count_of_failures_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
