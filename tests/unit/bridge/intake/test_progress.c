// bridge/intake/progress: how old the oldest record is, and what becomes of a log that is made anew.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/progress.h"

static void commit(struct progress *p, int64_t expected)
{
    assert_int_equal(progress_next_commit(p), expected);
    progress_commit_begun(p, expected);
    progress_commit_ended(p, true);
}

static void a_new_log_begins_below_the_old_offset(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, 1000);
    progress_restart(&p);
    commit(&p, 0);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_settle(&p, progress_open(&p, 0, -1));
    commit(&p, 1);
    progress_clear(&p);
}

static void events_of_the_old_log_do_not_touch_the_new_one(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, 1000);
    uint64_t settled_first = progress_open(&p, 1000, -1);
    uint64_t settled_last = progress_open(&p, 1001, -1);
    progress_restart(&p);
    commit(&p, 0);
    progress_settle(&p, settled_first);
    uint64_t fresh = progress_open(&p, 0, -1);
    progress_settle(&p, settled_last);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_settle(&p, fresh);
    commit(&p, 1);
    progress_clear(&p);
}

static void a_commit_of_the_old_log_says_nothing_of_the_new_one(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, 1000);
    progress_settle(&p, progress_open(&p, 1000, -1));
    progress_commit_begun(&p, 1001);
    progress_restart(&p);
    progress_commit_ended(&p, true);
    commit(&p, 0);
    progress_clear(&p);
}

static void the_oldest_unsettled_record_gives_the_age(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, 0);
    assert_int_equal(progress_oldest_ms(&p), -1);
    uint64_t first = progress_open(&p, 0, 100);
    uint64_t second = progress_open(&p, 1, 200);
    uint64_t third = progress_open(&p, 2, 300);
    progress_settle(&p, second);
    assert_int_equal(progress_oldest_ms(&p), 100);
    progress_settle(&p, first);
    assert_int_equal(progress_oldest_ms(&p), 300);
    progress_settle(&p, third);
    assert_int_equal(progress_oldest_ms(&p), -1);
    progress_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_log_begins_below_the_old_offset),
        cmocka_unit_test(events_of_the_old_log_do_not_touch_the_new_one),
        cmocka_unit_test(the_oldest_unsettled_record_gives_the_age),
        cmocka_unit_test(a_commit_of_the_old_log_says_nothing_of_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
