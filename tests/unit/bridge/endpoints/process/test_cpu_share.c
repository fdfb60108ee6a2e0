// bridge/endpoints/process/cpu_share: simulated processes, which always want more than they may have, get
// their share and no more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/endpoints/process/cpu_share.h"

#define SECOND INT64_C(1000000)
#define START (50 * SECOND)

/** Thousandths of a core that a process with so many busy threads gets in 60 s; each look comes late. */
static int64_t share_of(int64_t millis, int64_t threads, int64_t late_us)
{
    struct cpu_share s;
    cpu_share_init(&s, millis, START);
    int64_t used_us = 0;
    int64_t now_us = START;
    int64_t wait_us = CPU_SHARE_PERIOD_US;
    while (now_us < START + 60 * SECOND) {
        wait_us += late_us;
        now_us += wait_us;
        used_us += s.is_held ? 0 : threads * wait_us;
        // The kernel shows steps of 10 ms.
        wait_us = cpu_share_update(&s, used_us / 10000 * 10000, now_us);
        assert_in_range(wait_us, CPU_SHARE_LOOK_US, CPU_SHARE_HOLD_US);
    }
    return used_us * 1000 / (now_us - START);
}

static void busy_processes_get_their_share(void **state)
{
    (void)state;
    assert_in_range(share_of(500, 1, 0), 490, 515);
    assert_in_range(share_of(100, 1, 0), 95, 110);
    assert_in_range(share_of(900, 1, 0), 890, 910);
    assert_in_range(share_of(50, 2, 0), 45, 60);
    assert_in_range(share_of(250, 4, 0), 245, 265);
    assert_in_range(share_of(2000, 4, 0), 1990, 2020);
}

static void late_looks_are_paid_back(void **state)
{
    (void)state;
    assert_in_range(share_of(500, 1, 40000), 450, 520);
    assert_in_range(share_of(250, 4, 40000), 220, 270);
}

static void a_process_within_its_share_is_never_held(void **state)
{
    (void)state;
    struct cpu_share s;
    cpu_share_init(&s, 500, START);
    int64_t used_us = 0;
    for (int64_t now_us = START; now_us < START + 10 * SECOND;) {
        now_us += cpu_share_update(&s, used_us, now_us);
        assert_false(s.is_held);
        used_us += 4000;  // in 10 ms at least
    }
    // What it did not use of the last period it may use at once.
    (void)cpu_share_update(&s, used_us, START + 20 * SECOND);
    (void)cpu_share_update(&s, used_us + 49000, START + 20 * SECOND);
    assert_false(s.is_held);
    (void)cpu_share_update(&s, used_us + 51000, START + 20 * SECOND);
    assert_true(s.is_held);
}

static void an_idle_process_is_looked_at_ten_times_a_second(void **state)
{
    (void)state;
    struct cpu_share s;
    cpu_share_init(&s, 10, START);
    assert_int_equal(cpu_share_update(&s, 0, START + SECOND), CPU_SHARE_PERIOD_US);
    assert_int_equal(cpu_share_update(&s, 0, START + SECOND + CPU_SHARE_PERIOD_US), CPU_SHARE_PERIOD_US);
}

static void no_hold_is_for_ever(void **state)
{
    (void)state;
    struct cpu_share s;
    cpu_share_init(&s, 10, START);
    assert_int_equal(cpu_share_update(&s, 3600 * SECOND, START + SECOND), CPU_SHARE_HOLD_US);
    assert_true(s.is_held);
    (void)cpu_share_update(&s, 3600 * SECOND, START + SECOND + CPU_SHARE_HOLD_US);
    assert_false(s.is_held);
}

static void time_that_is_lost_counts_as_none(void **state)
{
    (void)state;
    struct cpu_share s;
    cpu_share_init(&s, 500, START);
    (void)cpu_share_update(&s, 40000, START);
    (void)cpu_share_update(&s, 10000, START);  // a child has ended that nobody waited for
    (void)cpu_share_update(&s, 19000, START);
    assert_false(s.is_held);
    (void)cpu_share_update(&s, 21000, START);
    assert_true(s.is_held);
    (void)cpu_share_update(&s, 21000, START - SECOND);  // a clock of a test that goes back
    assert_true(s.is_held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(busy_processes_get_their_share),
        cmocka_unit_test(late_looks_are_paid_back),
        cmocka_unit_test(a_process_within_its_share_is_never_held),
        cmocka_unit_test(an_idle_process_is_looked_at_ten_times_a_second),
        cmocka_unit_test(no_hold_is_for_ever),
        cmocka_unit_test(time_that_is_lost_counts_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
