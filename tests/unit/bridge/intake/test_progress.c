// bridge/intake/progress: how far offsets may move, how old the oldest record is, and what becomes of a log
// that is made anew.
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
    uint64_t first = progress_open(&p, 0, 100000);
    uint64_t second = progress_open(&p, 1, 200000);
    uint64_t third = progress_open(&p, 2, 300000);
    progress_settle(&p, second);
    assert_int_equal(progress_oldest_ms(&p), 100000);
    progress_settle(&p, first);
    assert_int_equal(progress_oldest_ms(&p), 300000);
    progress_settle(&p, third);
    assert_int_equal(progress_oldest_ms(&p), -1);
    progress_clear(&p);
}

static void only_the_settled_beginning_is_committed(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, 10);
    uint64_t a = progress_open(&p, 10, -1);
    uint64_t b = progress_open(&p, 15, -1);  // offsets have gaps
    assert_int_equal(progress_next_commit(&p), -1);
    progress_settle(&p, b);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_settle(&p, a);
    assert_int_equal(progress_next_commit(&p), 16);
    progress_clear(&p);
}

static void a_refused_commit_is_tried_again_and_a_kept_one_is_not(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, -1);
    progress_settle(&p, progress_open(&p, 0, -1));
    assert_int_equal(progress_next_commit(&p), 1);
    progress_commit_begun(&p, 1);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_commit_ended(&p, false);
    assert_int_equal(progress_next_commit(&p), 1);
    progress_commit_begun(&p, 1);
    progress_commit_ended(&p, true);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_clear(&p);
}

static void a_million_settled_records_behind_an_unsettled_one_take_little(void **state)
{
    (void)state;
    enum { RECORDS = 1000000 };
    struct progress p;
    progress_init(&p, -1);
    uint64_t stuck = progress_open(&p, 0, 1000);
    for (int64_t offset = 1; offset < RECORDS; offset++) {
        progress_settle(&p, progress_open(&p, offset, 1000 + offset));
    }
    assert_int_equal(progress_next_commit(&p), -1);
    assert_int_equal(progress_oldest_ms(&p), 1000);
    assert_in_range(p.live_count, 1, 2);
    assert_in_range(p.chunk_capacity, 1, 8);
    progress_settle(&p, stuck);
    assert_int_equal(progress_next_commit(&p), RECORDS);
    progress_clear(&p);
}

/** Every second record is unsettled: each needs one bit, and may settle in any order. */
static void a_million_unsettled_records_are_a_bit_each(void **state)
{
    (void)state;
    enum { RECORDS = 1000000, STEP = 777778 };  // odd offsets are visited in the order of multiples of a step
    struct progress p;
    progress_init(&p, -1);
    for (int64_t offset = 0; offset < RECORDS; offset++) {
        uint64_t ticket = progress_open(&p, offset, -1);
        if (offset % 2 == 0) {
            progress_settle(&p, ticket);
        }
    }
    assert_int_equal(progress_safe(&p), 1);
    assert_in_range(p.live_count, RECORDS / PROGRESS_CHUNK_OFFSETS, RECORDS / PROGRESS_CHUNK_OFFSETS + 1);
    for (int64_t i = 1, offset = 1; i <= RECORDS / 2; i++, offset = (offset + STEP) % RECORDS) {
        assert_true(progress_safe(&p) <= offset || i == 1);
        progress_settle(&p, (uint64_t)offset);
    }
    assert_int_equal(progress_safe(&p), RECORDS);
    assert_int_equal(p.live_count, 1);
    progress_clear(&p);
}

/** A transaction marker is the last entry of the log: once all records are settled the group is at the log's
 * end. */
static void the_end_of_the_log_is_passed_once_all_before_it_is_settled(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, 5);
    uint64_t ticket = progress_open(&p, 5, -1);
    progress_pass(&p, 7);
    assert_int_equal(progress_next_commit(&p), -1);
    progress_settle(&p, ticket);
    assert_int_equal(progress_next_commit(&p), 7);
    progress_pass(&p, 6);  // repeated
    assert_int_equal(progress_next_commit(&p), 7);
    progress_restart(&p);
    progress_pass(&p, 2);
    assert_int_equal(progress_safe(&p), 2);
    progress_clear(&p);
}

static void sparse_offsets_never_fill_it(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, -1);
    uint64_t stuck = progress_open(&p, 5, -1);
    for (int64_t i = 1; i < 3 * PROGRESS_CHUNKS_MAX; i++) {
        assert_false(progress_is_full(&p));
        progress_settle(&p, progress_open(&p, i * 10 * PROGRESS_CHUNK_OFFSETS, -1));
    }
    assert_int_equal(progress_safe(&p), 5);
    progress_settle(&p, stuck);
    progress_clear(&p);
}

static void unsettled_records_in_too_many_places_fill_it(void **state)
{
    (void)state;
    struct progress p;
    progress_init(&p, -1);
    for (int64_t i = 0; i < PROGRESS_CHUNKS_MAX; i++) {
        assert_false(progress_is_full(&p));
        (void)progress_open(&p, i * PROGRESS_CHUNK_OFFSETS, -1);
    }
    assert_true(progress_is_full(&p));
    progress_settle(&p, 0);
    assert_false(progress_is_full(&p));
    progress_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_log_begins_below_the_old_offset),
        cmocka_unit_test(events_of_the_old_log_do_not_touch_the_new_one),
        cmocka_unit_test(the_oldest_unsettled_record_gives_the_age),
        cmocka_unit_test(only_the_settled_beginning_is_committed),
        cmocka_unit_test(a_refused_commit_is_tried_again_and_a_kept_one_is_not),
        cmocka_unit_test(a_million_settled_records_behind_an_unsettled_one_take_little),
        cmocka_unit_test(a_million_unsettled_records_are_a_bit_each),
        cmocka_unit_test(the_end_of_the_log_is_passed_once_all_before_it_is_settled),
        cmocka_unit_test(sparse_offsets_never_fill_it),
        cmocka_unit_test(unsettled_records_in_too_many_places_fill_it),
        cmocka_unit_test(a_commit_of_the_old_log_says_nothing_of_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
