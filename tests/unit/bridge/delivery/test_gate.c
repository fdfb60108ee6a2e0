// bridge/delivery/gate and bridge/intake/progress: when calls may run, and how far offsets may move.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/gate.h"
#include "bridge/intake/progress.h"

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

static void only_the_settled_beginning_is_committed(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, 10);
    uint64_t a = progress_open(&p, 10, -1);
    uint64_t b = progress_open(&p, 15, -1);  // offsets have gaps
    assert_int_equal(progress_next_commit(&p), -1);
    progress_settle(&p, b);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_settle(&p, a);
    assert_int_equal(progress_next_commit(&p), 16);
    progress_clear(&p);
}

static void a_refused_commit_is_tried_again_and_a_kept_one_is_not(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, -1);
    progress_settle(&p, progress_open(&p, 0, -1));
    assert_int_equal(progress_next_commit(&p), 1);
    progress_commit_begun(&p, 1);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_commit_ended(&p, false);
    assert_int_equal(progress_next_commit(&p), 1);
    progress_commit_begun(&p, 1);
    progress_commit_ended(&p, true);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_clear(&p);
}

static void behind_an_unsettled_record_room_ends(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, -1);
    uint64_t stuck = progress_open(&p, 0, -1);
    for (int64_t offset = 1; offset < PROGRESS_OPEN_MAX; offset++) {
        assert_false(progress_is_full(&p));
        progress_settle(&p, progress_open(&p, offset, -1));
    }
    assert_true(progress_is_full(&p));
    progress_settle(&p, stuck);
    assert_false(progress_is_full(&p));
    assert_int_equal(progress_next_commit(&p), PROGRESS_OPEN_MAX);
    progress_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_gate_opens_for_one_and_widens_with_success),
        cmocka_unit_test(calls_that_fail_together_wait_together),
        cmocka_unit_test(an_answer_ends_the_backoff_of_a_gate_for_one_too),
        cmocka_unit_test(a_changed_concurrency_counts_at_once),
        cmocka_unit_test(a_new_endpoint_opens_the_gate_for_one_more),
        cmocka_unit_test(only_the_settled_beginning_is_committed),
        cmocka_unit_test(a_refused_commit_is_tried_again_and_a_kept_one_is_not),
        cmocka_unit_test(behind_an_unsettled_record_room_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
