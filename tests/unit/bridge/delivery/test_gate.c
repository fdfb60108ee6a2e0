// bridge/delivery/gate: when calls may run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/gate.h"

static void a_closed_gate_opens_for_one_and_widens_with_success(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 8, 1000, 60000);
    assert_true(gate_admits(&g, 7, 100));
    assert_false(gate_admits(&g, 8, 100));
    assert_int_equal(gate_close(&g, 5000, 100), 5100);
    assert_false(gate_admits(&g, 0, 5099));
    assert_true(gate_admits(&g, 0, 5100));
    assert_false(gate_admits(&g, 1, 5100));
    static const size_t LIMITS[] = {2, 4, 8, 8};
    for (size_t i = 0; i < 4; i++) {
        gate_widen(&g);
        assert_int_equal(g.limit, LIMITS[i]);
    }
}

static void calls_that_fail_together_wait_together(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 8, 100000, 60000000);
    int64_t open_us = gate_close(&g, 0, 0);
    assert_int_equal(gate_close(&g, 0, 0), open_us);
    assert_int_equal(g.backoff.failures, 1);
    assert_int_equal(gate_close(&g, 300000000, 0), 300000000);  // who asks for more gets more
    assert_int_equal(gate_close(&g, 1, 0), 300000000);          // and nobody makes it less
}

static void an_answer_ends_the_backoff_of_a_gate_for_one_too(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 1, 1000, 60000);
    for (uint32_t i = 1; i <= 3; i++) {
        (void)gate_close(&g, 0, g.open_us);
        assert_int_equal(g.backoff.failures, i);
    }
    gate_widen(&g);
    assert_int_equal(g.limit, 1);
    assert_int_equal(g.backoff.failures, 0);
}

static void a_changed_concurrency_counts_at_once(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 8, 1000, 60000);
    gate_adjust(&g, 16, 1000, 60000);
    assert_int_equal(g.limit, 16);
    gate_adjust(&g, 2, 1000, 60000);
    assert_int_equal(g.limit, 2);
}

static void a_new_endpoint_opens_the_gate_for_one_more(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 8, 1000, 60000);
    (void)gate_close(&g, 0, 100);
    (void)gate_close(&g, 5000000, 100);
    gate_reopen(&g, 0);
    assert_true(gate_admits(&g, 0, 101));
    assert_false(gate_admits(&g, 1, 101));
    assert_int_equal(g.backoff.failures, 0);
    gate_reopen(&g, 3);  // calls to the former endpoint
    assert_true(gate_admits(&g, 3, 101));
    assert_false(gate_admits(&g, 4, 101));
    gate_reopen(&g, 8);
    assert_false(gate_admits(&g, 8, 101));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_gate_opens_for_one_and_widens_with_success),
        cmocka_unit_test(calls_that_fail_together_wait_together),
        cmocka_unit_test(an_answer_ends_the_backoff_of_a_gate_for_one_too),
        cmocka_unit_test(a_changed_concurrency_counts_at_once),
        cmocka_unit_test(a_new_endpoint_opens_the_gate_for_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
