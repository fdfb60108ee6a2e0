#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_visibility.h"

static void a_snapshot_sees_what_had_ended(void **state)
{
    (void)state;
    struct fault f = {0};
    struct pg_visibility v = {0};
    assert_true(pg_visibility_parse("100:110:100,104", &v, &f));
    assert_true(pg_visibility_sees(&v, 99));
    assert_false(pg_visibility_sees(&v, 100));
    assert_true(pg_visibility_sees(&v, 103));
    assert_false(pg_visibility_sees(&v, 104));
    assert_true(pg_visibility_sees(&v, 109));
    assert_false(pg_visibility_sees(&v, 110));
    assert_false(pg_visibility_sees(&v, 4000));
    pg_visibility_clear(&v);
    assert_true(pg_visibility_parse("100:100:", &v, &f));
    assert_true(pg_visibility_sees(&v, 99));
    assert_false(pg_visibility_sees(&v, 100));
    pg_visibility_clear(&v);
}

static void ids_are_compared_beyond_the_wraparound(void **state)
{
    (void)state;
    struct fault f = {0};
    struct pg_visibility v = {0};
    // 2^32 + 5: the ids have wrapped around once.
    assert_true(pg_visibility_parse("4294967298:4294967301:4294967298", &v, &f));
    assert_true(pg_visibility_sees(&v, UINT32_MAX));
    assert_true(pg_visibility_sees(&v, 1));
    assert_false(pg_visibility_sees(&v, 2));
    assert_true(pg_visibility_sees(&v, 4));
    assert_false(pg_visibility_sees(&v, 5));
    pg_visibility_clear(&v);
}

static void what_is_no_snapshot_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "1", "1:2", "a:2:", "1:2:3,", "1:2:x", "1:2:3 ", ":2:"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct fault f = {0};
        struct pg_visibility v = {0};
        // After a comma at the end one more is missing.
        if (pg_visibility_parse(texts[i], &v, &f)) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_int_equal(f.kind, FAULT_FATAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_sees_what_had_ended),
        cmocka_unit_test(ids_are_compared_beyond_the_wraparound),
        cmocka_unit_test(what_is_no_snapshot_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
