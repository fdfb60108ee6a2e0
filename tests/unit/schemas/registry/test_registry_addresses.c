// Addresses of a registry that ask to be left alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/clock.h"
#include "schemas/registry/registry_addresses.h"

static void an_address_is_passed_over_as_long_as_it_asks(void **state)
{
    (void)state;
    struct registry_addresses a = {0};
    const struct fault why = {.kind = FAULT_RETRY, .text = "429"};
    clock_fake(1000 * CLOCK_US_PER_S, 0);
    registry_addresses_add(&a, "http://one//");
    registry_addresses_add(&a, "http://two");
    assert_string_equal(a.items[0].url, "http://one");
    assert_true(registry_addresses_is_free(&a, 0));
    registry_addresses_quiet(&a, 0, 20 * CLOCK_US_PER_S, &why);
    assert_false(registry_addresses_is_free(&a, 0));
    assert_true(registry_addresses_is_free(&a, 1));
    assert_string_equal(a.items[0].why.text, "429");
    clock_fake(1020 * CLOCK_US_PER_S, 0);
    assert_true(registry_addresses_is_free(&a, 0));
    registry_addresses_clear(&a);
    clock_fake(-1, 0);
}

static void a_year_is_five_minutes(void **state)
{
    (void)state;
    struct registry_addresses a = {0};
    const struct fault why = {.kind = FAULT_RETRY, .text = "503"};
    clock_fake(1000 * CLOCK_US_PER_S, 0);
    registry_addresses_add(&a, "http://one");
    registry_addresses_quiet(&a, 0, 365 * 86400 * CLOCK_US_PER_S, &why);
    clock_fake(1299 * CLOCK_US_PER_S, 0);
    assert_false(registry_addresses_is_free(&a, 0));
    clock_fake(1300 * CLOCK_US_PER_S, 0);
    assert_true(registry_addresses_is_free(&a, 0));
    registry_addresses_clear(&a);
    clock_fake(-1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_passed_over_as_long_as_it_asks),
        cmocka_unit_test(a_year_is_five_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
