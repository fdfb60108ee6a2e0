// bridge/delivery/lanes: one call for each key at a time, several keys concurrently.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bridge/delivery/lanes_delayed.h"
#include "bridge/delivery/lanes_parked.h"
#include "lane_case.h"

static void a_key_has_one_event_in_flight_and_keeps_its_order(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    lanes_put(&l, make(&first, "b", 3), 0);
    struct work_item *a = lanes_take(&l);
    assert_int_equal(a->record->offset, 1);
    struct work_item *b = lanes_take(&l);
    assert_int_equal(b->record->offset, 3);
    assert_null(lanes_take(&l));
    finish(&l, b);
    assert_null(lanes_take(&l));
    finish(&l, a);
    take_and_finish(&l, 2);
    lanes_clear(&l);
}

static void equal_keys_of_two_partitions_are_two_lanes(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&second, "a", 2), 0);
    struct work_item *e = lanes_take(&l);
    struct work_item *f = lanes_take(&l);
    assert_non_null(f);
    finish(&l, e);
    finish(&l, f);
    lanes_clear(&l);
}

static void an_absent_key_has_no_order_and_an_empty_one_has(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, NULL, 1), 0);
    lanes_put(&l, make(&first, NULL, 2), 0);
    lanes_put(&l, make(&first, "", 3), 0);
    lanes_put(&l, make(&first, "", 4), 0);
    struct work_item *taken[] = {lanes_take(&l), lanes_take(&l), lanes_take(&l)};
    assert_null(lanes_take(&l));
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        finish(&l, taken[i]);
    }
    take_and_finish(&l, 4);
    lanes_clear(&l);
}

static void order_partition_has_one_lane_a_partition_and_order_none_one_an_event(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_PARTITION);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "b", 2), 0);
    struct work_item *e = lanes_take(&l);
    assert_null(lanes_take(&l));
    finish(&l, e);
    take_and_finish(&l, 2);
    lanes_clear(&l);
    lanes_init(&l, FUNCTION_ORDER_NONE);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    e = lanes_take(&l);
    take_and_finish(&l, 2);
    finish(&l, e);
    lanes_clear(&l);
}

/** A long run over many keys: whatever their hashes, no key has two events in flight. */
static void many_keys_never_share_a_lane(void **state)
{
    (void)state;
    enum { KEYS = 500, EVENTS = 5000 };
    static char keys[KEYS][8];
    static int64_t last[KEYS];
    static bool is_taken[KEYS];
    struct work_item *flight[64];
    size_t flying = 0;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 0; i < EVENTS; i++) {
        int64_t k = (i * 7919) % KEYS;
        int size = snprintf(keys[k], sizeof(keys[k]), "k%d", (int)k);
        assert_true(size > 0);
        lanes_put(&l, make(&first, keys[k], i + 1), 0);
    }
    size_t done = 0;
    while (done < EVENTS) {
        struct work_item *e = flying < COUNT_OF(flight) ? lanes_take(&l) : NULL;
        if (e != NULL) {
            size_t k = (size_t)strtoul((const char *)e->record->key.data + 1, NULL, 10);
            assert_false(is_taken[k]);
            assert_true(e->record->offset > last[k]);
            is_taken[k] = true;
            last[k] = e->record->offset;
            flight[flying++] = e;
            continue;
        }
        size_t at = done % flying;
        is_taken[strtoul((const char *)flight[at]->record->key.data + 1, NULL, 10)] = false;
        finish(&l, flight[at]);
        flight[at] = flight[--flying];
        done++;
    }
    assert_int_equal(l.table.lane_count, 0);
    assert_int_equal(l.ready_bytes, 0);
    lanes_clear(&l);
}

static void a_revoked_partition_drops_what_waits_and_leaves_what_runs(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    lanes_put(&l, make(&first, NULL, 3), 0);
    lanes_put(&l, make(&second, "a", 4), 0);
    struct work_item *running = lanes_take(&l);
    assert_int_equal(free_list(lanes_drop(&l, &first)), 2);
    finish(&l, running);
    take_and_finish(&l, 4);
    lanes_clear(&l);
}

static void a_delayed_lane_is_served_when_it_is_due_and_keeps_its_order(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    lanes_put(&l, make(&first, "b", 3), 0);
    lanes_delay(&l, lanes_take(&l), 500);
    assert_int_equal(l.ready_count, 1);
    lanes_put(&l, make(&first, "a", 4), 0);
    take_and_finish(&l, 3);
    lanes_wake(&l, 499);
    assert_null(lanes_take(&l));
    assert_int_equal(lanes_next_due_us(&l), 500);
    lanes_wake(&l, 500);
    assert_int_equal(lanes_next_due_us(&l), -1);
    take_and_finish(&l, 1);
    take_and_finish(&l, 2);
    take_and_finish(&l, 4);
    lanes_clear(&l);
}

static void a_lane_waits_until_its_attempt_is_committed(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    struct work_item *item = make(&first, "a", 1);
    lanes_put(&l, item, 0);
    work_item_note_attempt(lanes_take(&l), 400);
    lanes_delay(&l, item, 500);
    assert_ptr_equal(lanes_wake(&l, 500), &first);
    assert_null(lanes_take(&l));
    assert_true(lanes_next_due_us(&l) > 500);
    first.failures_committed = first.failures;
    assert_null(lanes_wake(&l, lanes_next_due_us(&l)));
    take_and_finish(&l, 1);
    lanes_clear(&l);
}

static void a_lane_waits_no_longer_than_kafka_may_take(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    struct work_item *item = make(&first, "a", 1);
    lanes_put(&l, item, 0);
    work_item_note_attempt(lanes_take(&l), 400);
    lanes_delay(&l, item, 500);
    assert_null(lanes_wake(&l, item->retry.noted_by_us));
    take_and_finish(&l, 1);
    lanes_clear(&l);
}

static void a_lane_that_is_due_stands_behind_the_ready_ones(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "b", 2), 0);
    lanes_put(&l, make(&first, "c", 3), 0);
    lanes_delay(&l, lanes_take(&l), 500);
    lanes_wake(&l, 600);
    take_and_finish(&l, 2);
    take_and_finish(&l, 3);
    take_and_finish(&l, 1);
    lanes_clear(&l);
}

/** One event of the lane is delivered or dead-lettered, the others are sent again. */
static void a_lane_is_delayed_once_no_call_holds_it(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 4; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    struct work_item *one = lanes_take(&l);
    struct work_item *two = lanes_take_more(&l, one);
    struct work_item *three = lanes_take_more(&l, two);
    one->next = three;
    lanes_delay(&l, one, 300);
    lanes_wake(&l, 1000);
    assert_null(lanes_take(&l));
    finish(&l, two);
    lanes_wake(&l, 299);
    assert_null(lanes_take(&l));
    lanes_wake(&l, 300);
    take_and_finish(&l, 1);
    take_and_finish(&l, 3);
    take_and_finish(&l, 4);
    lanes_clear(&l);
}

static void a_revoked_partition_drops_its_delayed_lanes(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "b", 2), 0);
    lanes_put(&l, make(&second, "a", 3), 0);
    for (int64_t due_us = 300; due_us > 0; due_us -= 100) {
        lanes_delay(&l, lanes_take(&l), due_us);
    }
    assert_int_equal(free_list(lanes_drop(&l, &first)), 2);
    assert_int_equal(lanes_next_due_us(&l), 100);
    lanes_wake(&l, 1000);
    take_and_finish(&l, 3);
    lanes_clear(&l);
}

static void a_lane_that_was_parked_is_taken_from_as_before(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t offset = 0; offset < 3; offset++) {
        lanes_put(&l, make(&first, "a", offset), 0);
    }
    struct work_item *parked = lanes_take(&l);
    lanes_park(parked);
    lanes_delay(&l, parked, 0);
    assert_true(lanes_unpark(&l, parked));
    work_item_free(parked);
    struct work_item *taken = lanes_take(&l);
    assert_int_equal(taken->record->offset, 1);
    struct work_item *more = lanes_take_more(&l, taken);
    assert_non_null(more);
    assert_int_equal(more->record->offset, 2);
    finish(&l, more);
    finish(&l, taken);
    lanes_clear(&l);
}

static void a_parked_lane_keeps_its_order_and_holds_up_no_other(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 0), 0);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "b", 2), 0);
    struct work_item *taken = lanes_take(&l);
    assert_int_equal(taken->record->offset, 0);
    lanes_park(taken);
    assert_null(lanes_take_more(&l, taken));  // the call goes on without this lane
    lanes_delay(&l, taken, 100);
    take_and_finish(&l, 2);
    (void)lanes_wake(&l, 1000000);
    assert_null(lanes_take(&l));
    lanes_retry_now(&l);
    assert_null(lanes_take(&l));
    assert_int_equal(lanes_next_due_us(&l), -1);
    struct work_item *dropped = lanes_drop(&l, &first);
    assert_int_equal(free_list(dropped), 2);
    lanes_clear(&l);
}

static void a_parked_event_behind_others_stops_the_lane_when_it_is_first(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 0), 0);
    struct work_item *parked = make(&first, "a", 1);
    parked->is_parked = true;  // before a restart
    lanes_put(&l, parked, 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    struct work_item *taken = lanes_take(&l);
    assert_null(lanes_take_more(&l, taken));
    assert_false(lanes_unpark(&l, parked));
    finish(&l, taken);
    assert_null(lanes_take(&l));
    assert_true(lanes_unpark(&l, parked));
    work_item_free(parked);
    take_and_finish(&l, 2);
    lanes_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_has_one_event_in_flight_and_keeps_its_order),
        cmocka_unit_test(equal_keys_of_two_partitions_are_two_lanes),
        cmocka_unit_test(an_absent_key_has_no_order_and_an_empty_one_has),
        cmocka_unit_test(order_partition_has_one_lane_a_partition_and_order_none_one_an_event),
        cmocka_unit_test(many_keys_never_share_a_lane),
        cmocka_unit_test(a_revoked_partition_drops_what_waits_and_leaves_what_runs),
        cmocka_unit_test(a_delayed_lane_is_served_when_it_is_due_and_keeps_its_order),
        cmocka_unit_test(a_lane_that_is_due_stands_behind_the_ready_ones),
        cmocka_unit_test(a_lane_waits_until_its_attempt_is_committed),
        cmocka_unit_test(a_lane_waits_no_longer_than_kafka_may_take),
        cmocka_unit_test(a_lane_is_delayed_once_no_call_holds_it),
        cmocka_unit_test(a_revoked_partition_drops_its_delayed_lanes),
        cmocka_unit_test(a_lane_that_was_parked_is_taken_from_as_before),
        cmocka_unit_test(a_parked_lane_keeps_its_order_and_holds_up_no_other),
        cmocka_unit_test(a_parked_event_behind_others_stops_the_lane_when_it_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
