#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/last_error.h"

static int start_clock(void **state)
{
    (void)state;
    clock_fake(-1, 0);
    return 0;
}

static void without_an_error_all_members_are_there_and_say_so(void **state)
{
    (void)state;
    struct last_error e = {0};
    struct bytes out = {0};
    last_error_write(&e, &out);
    assert_string_equal(bytes_text(&out), "\"last_error\":null,\"since\":null,\"error_seconds\":0");
    assert_int_equal(last_error_age_us(&e), 0);
    bytes_clear(&out);
}

static void a_newer_error_replaces_the_text_and_keeps_the_beginning(void **state)
{
    (void)state;
    struct last_error e = {0};
    struct bytes out = {0};
    clock_fake(5 * CLOCK_US_PER_S, INT64_C(1700000000123456));
    last_error_set(&e, "refused");
    clock_fake(17 * CLOCK_US_PER_S, INT64_C(1700000012123456));
    last_error_set(&e, "timed \"out\"");
    last_error_write(&e, &out);
    assert_string_equal(bytes_text(&out),
                        "\"last_error\":\"timed \\\"out\\\"\",\"since\":\"2023-11-14T22:13:20.123Z\","
                        "\"error_seconds\":12");
    bytes_clear(&out);
}

static void after_a_recovery_the_next_error_begins_anew(void **state)
{
    (void)state;
    struct last_error e = {0};
    clock_fake(5 * CLOCK_US_PER_S, 0);
    last_error_set(&e, "first");
    last_error_clear(&e);
    clock_fake(50 * CLOCK_US_PER_S, 0);
    last_error_set(&e, "second");
    assert_int_equal(last_error_age_us(&e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_an_error_all_members_are_there_and_say_so, start_clock),
        cmocka_unit_test_teardown(a_newer_error_replaces_the_text_and_keeps_the_beginning, start_clock),
        cmocka_unit_test_teardown(after_a_recovery_the_next_error_begins_anew, start_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
