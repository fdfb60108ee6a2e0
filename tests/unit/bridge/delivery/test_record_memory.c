// bridge/delivery/record_memory: how many records may be in memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/record_memory.h"

static void it_is_full_by_count_and_records_that_are_reloaded_have_a_quarter_more(void **state)
{
    (void)state;
    struct record_memory m = {.count_max = 8};
    const struct record r = {.value = {.size = 100}};
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(record_memory_left(&m, RECORD_MEMORY_NEW), 8 - i);
        assert_int_equal(record_memory_left(&m, RECORD_MEMORY_RELOADED), 10 - i);
        assert_int_equal(record_memory_is_half_empty(&m), i <= 4);
        record_memory_add(&m, &r);
    }
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_NEW), 0);
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_RELOADED), 2);
    record_memory_add(&m, &r);
    record_memory_add(&m, &r);
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_NEW), 0);
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_RELOADED), 0);
    for (size_t i = 0; i < 10; i++) {
        record_memory_remove(&m, &r);
    }
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_NEW), 8);
    assert_int_equal(m.bytes, 0);
}

static void it_is_full_by_bytes(void **state)
{
    (void)state;
    struct record_memory m = {.count_max = 1000};
    const struct record half = {.value = {.size = RECORD_MEMORY_BYTES_MAX / 2}};
    record_memory_add(&m, &half);
    assert_false(record_memory_is_half_empty(&m));  // the record itself counts, too
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_NEW), 999);
    record_memory_add(&m, &half);
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_NEW), 0);
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_RELOADED), 1250 - 2);
    record_memory_add(&m, &half);
    assert_int_equal(record_memory_left(&m, RECORD_MEMORY_RELOADED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_full_by_count_and_records_that_are_reloaded_have_a_quarter_more),
        cmocka_unit_test(it_is_full_by_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
