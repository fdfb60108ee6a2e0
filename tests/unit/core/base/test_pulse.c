#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/pulse.h"

static const int64_t S = CLOCK_US_PER_S;

static void beats_within_the_limit_are_good(void **state)
{
    (void)state;
    struct pulse p;
    pulse_init(&p, 4 * S, 100 * S);
    for (int64_t now_us = 100 * S; now_us < 160 * S; now_us += 4 * S - 1) {
        assert_true(pulse_beat(&p, now_us, NULL));
    }
}

static void a_standstill_is_noticed_once_with_its_length(void **state)
{
    (void)state;
    struct pulse p;
    int64_t gap_us = 0;
    pulse_init(&p, 4 * S, 0);
    assert_true(pulse_beat(&p, 1 * S, &gap_us));
    assert_int_equal(gap_us, 1 * S);
    assert_false(pulse_beat(&p, 5 * S, &gap_us));
    assert_int_equal(gap_us, 4 * S);
    assert_true(pulse_beat(&p, 6 * S, &gap_us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beats_within_the_limit_are_good),
        cmocka_unit_test(a_standstill_is_noticed_once_with_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
