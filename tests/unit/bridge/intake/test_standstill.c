#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/standstill.h"
#include "core/base/clock.h"

static const int64_t S = CLOCK_US_PER_S;

static void a_loop_that_turns_lets_calls_begin(void **state)
{
    (void)state;
    struct standstill s;
    standstill_init(&s, 10000, 3000, 0);
    for (int64_t now_us = 0; now_us < 60 * S; now_us += 6 * S) {
        assert_true(standstill_check(&s, now_us));
    }
}

static void a_standstill_holds_calls_until_the_coordinator_has_answered(void **state)
{
    (void)state;
    struct standstill s;
    standstill_init(&s, 10000, 3000, 0);
    assert_false(standstill_check(&s, 7 * S));
    assert_false(standstill_check(&s, 7 * S + 1));
    standstill_asked(&s);
    assert_false(standstill_check(&s, 7 * S + 2));
    standstill_answered(&s, true);
    assert_true(standstill_check(&s, 7 * S + 3));
}

static void a_refused_answer_or_an_older_one_proves_nothing(void **state)
{
    (void)state;
    struct standstill s;
    standstill_init(&s, 10000, 3000, 0);
    (void)standstill_check(&s, 20 * S);
    standstill_answered(&s, true);  // the response to an earlier commit
    assert_false(standstill_check(&s, 20 * S + 1));
    standstill_asked(&s);
    standstill_answered(&s, false);
    assert_false(standstill_check(&s, 20 * S + 2));
    standstill_asked(&s);
    (void)standstill_check(&s, 40 * S);  // a second standstill
    standstill_answered(&s, true);
    assert_false(standstill_check(&s, 40 * S + 1));
}

static void a_heartbeat_nearly_as_long_as_the_session_leaves_half_of_it(void **state)
{
    (void)state;
    struct standstill s;
    standstill_init(&s, 10000, 9000, 0);
    assert_true(standstill_check(&s, 4 * S));
    assert_false(standstill_check(&s, 9 * S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_turns_lets_calls_begin),
        cmocka_unit_test(a_standstill_holds_calls_until_the_coordinator_has_answered),
        cmocka_unit_test(a_refused_answer_or_an_older_one_proves_nothing),
        cmocka_unit_test(a_heartbeat_nearly_as_long_as_the_session_leaves_half_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
