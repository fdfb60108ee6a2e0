// core/base/memory_trim: memory is returned once after each stretch of work.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/memory_trim.h"

static void memory_is_returned_once_when_work_has_ended(void **state)
{
    (void)state;
    struct memory_trim_usage usage = {0};
    assert_false(memory_trim_is_due(&usage, 900 * CLOCK_US_PER_MS));   // working
    assert_false(memory_trim_is_due(&usage, 1700 * CLOCK_US_PER_MS));  // still working
    assert_true(memory_trim_is_due(&usage, 1701 * CLOCK_US_PER_MS));
    assert_false(memory_trim_is_due(&usage, 1702 * CLOCK_US_PER_MS));
    assert_false(memory_trim_is_due(&usage, 2600 * CLOCK_US_PER_MS));
    assert_true(memory_trim_is_due(&usage, 2601 * CLOCK_US_PER_MS));
}

static void little_work_is_not_worth_it_until_it_has_added_up(void **state)
{
    (void)state;
    struct memory_trim_usage usage = {0};
    int times = 0;
    for (int64_t second = 1; second <= 100; second++) {
        times += memory_trim_is_due(&usage, second * 10 * CLOCK_US_PER_MS) ? 1 : 0;
    }
    assert_int_equal(times, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_returned_once_when_work_has_ended),
        cmocka_unit_test(little_work_is_not_worth_it_until_it_has_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
