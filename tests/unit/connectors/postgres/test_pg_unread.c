// connectors/postgres/pg_unread: the tables that are still to be read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/pg_unread.h"
#include "core/base/bytes.h"

static void only_tables_that_are_not_there_are_added(void **state)
{
    (void)state;
    struct source_state known = {.unread = {1, 2}, .unread_count = 2};
    struct source_state fresh = {.unread = {2, 3}, .unread_count = 2};
    struct source_state record = {0};
    assert_true(pg_unread_add(&known, &fresh, &record));
    struct source_state expected = {.unread = {1, 2, 3}, .unread_count = 3};
    assert_true(pg_unread_is_same(&known, &expected));
    assert_false(pg_unread_add(&known, &fresh, &record));
    assert_int_equal(known.unread_count, 3);
}

static void without_room_all_that_the_record_has_is_read_again(void **state)
{
    (void)state;
    struct source_state known = {0};
    struct source_state fresh = {.unread = {7}, .unread_count = 1};
    struct source_state record = {.unread = {70, 71}, .unread_count = 2};
    uint32_t many[SOURCE_UNREAD_MAX + 1];
    for (uint32_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = 1000 + i;
    }
    pg_unread_set(&known, many, COUNT_OF(many));
    assert_int_equal(known.unread_count, SOURCE_UNREAD_MAX);
    assert_true(pg_unread_add(&known, &fresh, &record));
    assert_true(pg_unread_is_same(&known, &record));
}

static void records_differ_by_the_snapshot_and_by_the_tables(void **state)
{
    (void)state;
    struct source_state a = {.unread = {1}, .unread_count = 1};
    struct source_state b = a;
    assert_true(pg_unread_is_same(&a, &b));
    b.is_snapshot_done = true;
    assert_false(pg_unread_is_same(&a, &b));
    b = (struct source_state){.unread = {2}, .unread_count = 1};
    assert_false(pg_unread_is_same(&a, &b));
    pg_unread_set(&b, NULL, 0);
    assert_false(pg_unread_is_same(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_tables_that_are_not_there_are_added),
        cmocka_unit_test(without_room_all_that_the_record_has_is_read_again),
        cmocka_unit_test(records_differ_by_the_snapshot_and_by_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
