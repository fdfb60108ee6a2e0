// The cache with a registry that has no schemas and counts the look-ups.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/schema_cache.h"
#include "core/base/clock.h"
#include "tests/unit/bridge/intake/cache_case.h"

static enum schema_step get(int32_t id, int64_t now_us, int64_t valid_us)
{
    const struct avro_type *type;
    const char *why;
    const struct schema_age age = {now_us, valid_us};
    clock_fake(now_us, now_us);
    return schema_cache_get(cache_case_cache, id, &age, &type, &why);
}

static void an_unknown_id_of_a_value_is_asked_for_again_with_each_later_record(void **state)
{
    (void)state;
    assert_int_equal(get(7, 1000, 0), SCHEMA_WAIT);
    cache_case_answer_unknown();
    assert_int_equal(get(7, 1000, 0), SCHEMA_UNKNOWN);
    assert_int_equal(get(7, 1001, 0), SCHEMA_WAIT);
    cache_case_answer_unknown();
    assert_int_equal(cache_case_asked, 2);
}

static void an_unknown_id_that_may_be_none_is_asked_for_once_in_its_time(void **state)
{
    (void)state;
    const int64_t minute_us = 60 * CLOCK_US_PER_S;
    assert_int_equal(get(7, 1000, minute_us), SCHEMA_WAIT);
    cache_case_answer_unknown();
    for (int64_t i = 1; i < 1000; i++) {
        assert_int_equal(get(7, 1000 + i, minute_us), SCHEMA_UNKNOWN);
    }
    assert_int_equal(cache_case_asked, 1);
    assert_int_equal(get(7, 1000 + minute_us, minute_us), SCHEMA_WAIT);
    cache_case_answer_unknown();
    assert_int_equal(cache_case_asked, 2);
}

static void of_unknown_ids_the_oldest_are_forgotten(void **state)
{
    (void)state;
    const int64_t minute_us = 60 * CLOCK_US_PER_S;
    enum { MANY = 2000 };
    for (int32_t id = 1; id <= MANY; id++) {
        assert_int_equal(get(id, 1000, minute_us), SCHEMA_WAIT);
        cache_case_answer_unknown();
    }
    assert_int_equal(get(MANY, 1001, minute_us), SCHEMA_UNKNOWN);
    assert_int_equal(get(1, 1001, minute_us), SCHEMA_WAIT);
    cache_case_answer_unknown();
}

static void a_registry_that_does_not_answer_is_an_error_until_it_does(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(get(7, 1000, 0), SCHEMA_WAIT);
    assert_false(schema_cache_error(cache_case_cache)->is_set);
    (void)fault_set(&f, FAULT_RETRY, "connection refused");
    cache_case_answer(&f);
    assert_string_equal(schema_cache_error(cache_case_cache)->text,
                        "waiting for the schema registry: connection refused");
    assert_int_equal(get(8, 1000, 0), SCHEMA_WAIT);
    cache_case_answer_unknown();
    assert_false(schema_cache_error(cache_case_cache)->is_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unknown_id_of_a_value_is_asked_for_again_with_each_later_record,
                                        cache_case_start, cache_case_stop),
        cmocka_unit_test_setup_teardown(an_unknown_id_that_may_be_none_is_asked_for_once_in_its_time,
                                        cache_case_start, cache_case_stop),
        cmocka_unit_test_setup_teardown(of_unknown_ids_the_oldest_are_forgotten, cache_case_start,
                                        cache_case_stop),
        cmocka_unit_test_setup_teardown(a_registry_that_does_not_answer_is_an_error_until_it_does,
                                        cache_case_start, cache_case_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
