// connectors/state_record: what the state record says, and when it is written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/state_record.h"
#include "core/base/clock.h"

static struct state_record record_at(uint64_t position)
{
    struct state_record r = {.state = {.is_known = true, .position = position, .is_snapshot_done = true}};
    state_record_begin_session(&r, position);
    return r;
}

static void a_position_is_due_when_it_is_beyond_the_acknowledged_record(void **state)
{
    (void)state;
    struct state_record r = record_at(100);
    struct state_record_progress p = {.has_session = true, .safe = 100};
    assert_false(state_record_is_due(&r, &p));
    p.safe = 108;
    assert_true(state_record_is_due(&r, &p));
    assert_int_equal(state_record_next(&r, &p).position, 108);
    state_record_sent(&r, 0, CLOCK_US_PER_S);
    assert_true(r.is_in_flight);
    assert_int_equal(r.recorded, 100);
    state_record_acknowledged(&r);
    assert_int_equal(r.recorded, 108);
    assert_false(state_record_is_due(&r, &p));
    assert_false(state_record_end_save(&r));
    p = (struct state_record_progress){.safe = 200};  // without a session it is another one's
    assert_false(state_record_is_due(&r, &p));
}

static void under_load_one_record_a_second_is_sent(void **state)
{
    (void)state;
    struct state_record r = record_at(100);
    struct state_record_progress p = {.has_session = true, .safe = 108};
    int64_t now_us = 5 * CLOCK_US_PER_S;
    assert_int_equal(state_record_wait_ms(&r, &p, false, now_us), 0);  // the first one
    state_record_sent(&r, 0, now_us);
    now_us += 300 * CLOCK_US_PER_MS;
    assert_int_equal(state_record_wait_ms(&r, &p, false, now_us), 700);
    assert_int_equal(state_record_wait_ms(&r, &p, true, now_us), 0);
    assert_int_equal(state_record_wait_ms(&r, &p, false, now_us + CLOCK_US_PER_S), 0);
    struct source_state added = {.is_snapshot_done = true, .unread = {7}, .unread_count = 1};
    state_record_want(&r, &added, p.first, 9);
    assert_int_equal(state_record_wait_ms(&r, &p, false, now_us), 0);
}

static void what_was_read_leaves_the_record_when_all_before_is_settled(void **state)
{
    (void)state;
    struct state_record r = record_at(100);
    struct state_record_progress p = {.has_session = true, .safe = 100, .first = 3};
    struct source_state unread = {.is_snapshot_done = true, .unread = {7}, .unread_count = 1};
    state_record_want(&r, &unread, p.first, 5);
    assert_true(state_record_may_save(&r, p.first));  // it adds only
    assert_int_equal(state_record_next(&r, &p).unread_count, 1);
    state_record_sent(&r, p.first, 1);
    state_record_acknowledged(&r);
    assert_true(state_record_end_save(&r));
    struct source_state read = {.is_snapshot_done = true};
    state_record_want(&r, &read, p.first, 5);
    assert_false(state_record_may_save(&r, 4));
    assert_int_equal(state_record_next(&r, &p).unread_count, 1);
    assert_true(state_record_may_save(&r, 5));
    p.first = 5;
    assert_int_equal(state_record_next(&r, &p).unread_count, 0);
}

static void a_save_that_another_one_follows_is_not_the_end(void **state)
{
    (void)state;
    struct state_record r = record_at(100);
    struct state_record_progress p = {.has_session = true, .safe = 100};
    struct source_state wanted = {.is_snapshot_done = true, .unread = {7, 8}, .unread_count = 1};
    state_record_want(&r, &wanted, 0, 0);
    (void)state_record_next(&r, &p);
    state_record_sent(&r, 0, 1);
    wanted.unread_count = 2;
    state_record_want(&r, &wanted, 0, 0);
    state_record_acknowledged(&r);
    assert_false(state_record_end_save(&r));
    (void)state_record_next(&r, &p);
    state_record_sent(&r, 0, 2);
    state_record_acknowledged(&r);
    assert_true(state_record_end_save(&r));
}

static void a_server_that_went_back_takes_the_record_with_it(void **state)
{
    (void)state;
    struct state_record r = record_at(500);
    struct state_record_progress p = {.has_session = true, .safe = 508};
    (void)state_record_next(&r, &p);
    state_record_sent(&r, 0, 1);
    state_record_drop(&r);
    assert_false(r.is_in_flight);
    state_record_begin_session(&r, 300);
    assert_int_equal(r.recorded, 300);
    p.safe = 308;
    assert_int_equal(state_record_next(&r, &p).position, 308);
    state_record_begin_session(&r, 900);  // the slot is ahead of what the record has: not recorded yet
    assert_int_equal(r.recorded, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_is_due_when_it_is_beyond_the_acknowledged_record),
        cmocka_unit_test(under_load_one_record_a_second_is_sent),
        cmocka_unit_test(what_was_read_leaves_the_record_when_all_before_is_settled),
        cmocka_unit_test(a_save_that_another_one_follows_is_not_the_end),
        cmocka_unit_test(a_server_that_went_back_takes_the_record_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
