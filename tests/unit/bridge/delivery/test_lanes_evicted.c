// bridge/delivery/lanes_evicted: events that wait without their records.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/lanes_delayed.h"
#include "bridge/delivery/lanes_evicted.h"
#include "bridge/delivery/lanes_parked.h"
#include "lane_case.h"

static size_t evicted;

static void on_evicted(void *self, struct record *r)
{
    (void)self;
    evicted++;
    record_release(r);
}

/** Evicts all records but `kept` of each lane; how many these were. */
static size_t evict(struct lanes *l, size_t kept, int64_t delayed_after_us)
{
    const struct lanes_eviction eviction = {
        .kept = kept, .delayed_after_us = delayed_after_us, .on_evicted = on_evicted};
    evicted = 0;
    size_t count = lanes_evict(l, &eviction, SIZE_MAX);
    assert_int_equal(count, evicted);
    return evicted;
}

static struct lane_record record_of(const char *key, int64_t offset)
{
    return (struct lane_record){&first, (uint64_t)offset, key != NULL,
                                key == NULL ? (struct slice){NULL, 0} : slice_of(key)};
}

/** Loads the record at `offset`, as if it had been read again. */
static bool load_key(struct lanes *l, const char *key, int64_t offset, size_t loaded_max)
{
    struct lane_record which = record_of(key, offset);
    if (!lanes_wants(l, &which)) {
        return false;
    }
    (void)lanes_load(l, &which, make_record(key, offset), loaded_max);
    return true;
}

static bool load(struct lanes *l, int64_t offset, size_t loaded_max)
{
    return load_key(l, "a", offset, loaded_max);
}

/** What a restart knows of a ticket's event is known again only with its record. */
static void a_ticket_whose_event_was_parked_is_parked_again(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 3; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    struct work_item *busy = lanes_take(&l);
    assert_int_equal(evict(&l, 0, INT64_MAX), 2);
    finish(&l, busy);
    struct lane_record which = record_of("a", 2);
    struct lanes_loaded loaded = lanes_load(&l, &which, make_record("a", 2), 1);
    assert_true(loaded.is_new);
    lanes_restored(&l, loaded.item, true, 0);
    assert_null(lanes_take(&l));
    assert_int_equal(evict(&l, 0, 0), 1);  // it is known without its record
    assert_int_equal(l.deferred_count, 1);
    assert_int_equal(l.evicted_count, 1);
    assert_true(lanes_unpark(&l, loaded.item));
    work_item_free(loaded.item);
    assert_true(load(&l, 3, 1));
    take_and_finish(&l, 3);
    lanes_clear(&l);
}

static void a_ticket_whose_event_waited_for_a_retry_waits_again(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    struct work_item *busy = lanes_take(&l);
    assert_int_equal(evict(&l, 0, INT64_MAX), 1);
    finish(&l, busy);
    struct lane_record which = record_of("a", 2);
    struct lanes_loaded loaded = lanes_load(&l, &which, make_record("a", 2), 1);
    lanes_restored(&l, loaded.item, false, 100);
    assert_null(lanes_take(&l));
    (void)lanes_wake(&l, 100);
    take_and_finish(&l, 2);
    lanes_clear(&l);
}

static void what_waits_behind_a_busy_lane_can_wait_as_tickets(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 6; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    struct work_item *busy = lanes_take(&l);
    lanes_put(&l, make(&first, "b", 7), 0);
    assert_int_equal(evict(&l, 2, INT64_MAX), 3);  // 4, 5, 6; a ready lane keeps its events
    assert_int_equal(l.deferred_count, 3);
    const struct lane_record later = record_of("a", 8);
    assert_true(lanes_defer(&l, &later));
    assert_int_equal(lanes_depth(&l, &later), 6);
    take_and_finish(&l, 7);
    assert_false(lanes_next_wanted(&l, &p, &ticket));
    finish(&l, busy);
    take_and_finish(&l, 2);
    assert_int_equal(evict(&l, 0, INT64_MAX), 0);  // nothing in flight
    take_and_finish(&l, 3);
    assert_null(lanes_take(&l));
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_ptr_equal(p, &first);
    assert_int_equal(ticket, 4);
    assert_false(lanes_next_wanted(&l, &p, &ticket));
    assert_false(load(&l, 5, 2));  // not its turn
    assert_true(load(&l, 4, 2));
    assert_true(load(&l, 5, 2));
    assert_false(load(&l, 6, 2));  // enough for now
    take_and_finish(&l, 4);
    take_and_finish(&l, 5);
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_int_equal(ticket, 6);
    assert_true(load(&l, 6, 2));
    assert_true(load(&l, 8, 2));
    assert_int_equal(l.deferred_count, 0);
    lanes_put(&l, make(&first, "a", 9), 0);
    take_and_finish(&l, 6);
    take_and_finish(&l, 8);
    take_and_finish(&l, 9);
    lanes_clear(&l);
}

/** They can't be fetched from anywhere: a lane that waited for one would wait for ever. */
static void events_of_a_log_that_is_gone_never_wait_as_tickets(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 4; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    struct work_item *busy = lanes_take(&l);
    first.progress.base = 5;  // progress_restart
    for (int64_t i = 5; i <= 7; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    assert_int_equal(evict(&l, 0, INT64_MAX), 3);
    finish(&l, busy);
    for (int64_t i = 2; i <= 4; i++) {
        assert_false(lanes_next_wanted(&l, &p, &ticket));
        take_and_finish(&l, i);
    }
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_int_equal(ticket, 5);
    assert_null(lanes_drop_evicted(&l, &first));
    lanes_clear(&l);
    first.progress.base = 0;
}

static void tickets_of_records_that_are_gone_are_taken_out_in_order(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    struct work_item *item;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 5; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    struct work_item *busy = lanes_take(&l);
    assert_int_equal(evict(&l, 0, INT64_MAX), 4);
    assert_false(lanes_take_gone(&l, &first, 0, 100, &ticket, &item));  // the lane is busy
    finish(&l, busy);
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_false(lanes_take_gone(&l, &second, 0, 100, &ticket, &item));
    for (uint64_t gone = 2; gone < 4; gone++) {
        assert_true(lanes_take_gone(&l, &first, 2, 4, &ticket, &item));
        assert_int_equal(ticket, gone);
    }
    assert_false(lanes_take_gone(&l, &first, 2, 4, &ticket, &item));
    assert_true(load(&l, 4, 1));
    take_and_finish(&l, 4);
    assert_true(lanes_take_gone(&l, &first, 5, 6, &ticket, &item));
    lanes_clear(&l);
}

static void a_dropped_partition_takes_its_tickets_along(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 5; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
        lanes_put(&l, make(&first, "b", 10 + i), 0);
    }
    struct work_item *busy = lanes_take(&l);
    struct work_item *other = lanes_take(&l);
    assert_int_equal(evict(&l, 0, INT64_MAX), 8);
    finish(&l, busy);  // now the lane wants its next event
    assert_null(lanes_drop_evicted(&l, &first));
    assert_int_equal(l.deferred_count, 0);
    assert_false(lanes_next_wanted(&l, &p, &ticket));
    assert_null(lanes_drop(&l, &first));
    finish(&l, other);
    lanes_clear(&l);
}

/** A call failed: its events have used up `attempts`, `attempts` + 1 … */
static void fail_call(struct lanes *l, struct work_item *items, uint32_t attempts, int64_t due_us)
{
    for (struct work_item *item = items; item != NULL; item = item->next) {
        item->retry.first_attempt_us = 1;
        item->retry.attempts = attempts++;
    }
    lanes_delay(l, items, due_us);
}

static void an_event_that_was_sent_keeps_its_attempts_without_its_record(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 4; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    struct work_item *one = lanes_take(&l);
    struct work_item *two = lanes_take_more(&l, one);
    one->next = two;
    fail_call(&l, one, 3, 500);
    assert_int_equal(evict(&l, 0, 500), 2);  // 3 and 4; the lane is due soon
    assert_int_equal(evict(&l, 0, 499), 2);
    assert_int_equal(l.evicted_count, 2);
    assert_int_equal(l.deferred_count, 2);
    assert_int_equal(l.loaded_count, 0);
    const struct lane_record later = record_of("a", 5);
    assert_true(lanes_defer(&l, &later));
    assert_false(lanes_next_wanted(&l, &p, &ticket));  // it is not due
    lanes_wake(&l, 500);
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_int_equal(ticket, 1);
    assert_false(load(&l, 2, 8));
    assert_true(load(&l, 1, 8));
    one = lanes_take(&l);
    assert_int_equal(one->retry.attempts, 3);
    assert_null(lanes_take_more(&l, one));  // its record is not there yet
    assert_true(load(&l, 2, 8));
    two = lanes_take_more(&l, one);
    assert_int_equal(two->retry.attempts, 4);
    finish(&l, one);
    fail_call(&l, two, 8, 900);
    for (int64_t i = 3; i <= 5; i++) {
        assert_true(load(&l, i, 8));
    }
    assert_int_equal(l.evicted_count + l.deferred_count, 0);
    lanes_wake(&l, 900);
    for (int64_t i = 2; i <= 5; i++) {
        take_and_finish(&l, i);
    }
    lanes_clear(&l);
}

static void a_ready_lane_is_evicted_only_if_its_first_event_was_sent(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    const struct lanes_eviction eviction = {.has_ready = true, .on_evicted = on_evicted};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "b", 2), 0);
    lanes_put(&l, make(&first, "b", 3), 0);
    lanes_put(&l, make(&first, "c", 4), 0);
    fail_call(&l, lanes_take(&l), 1, 0);
    fail_call(&l, lanes_take(&l), 1, 0);
    lanes_wake(&l, 0);
    assert_int_equal(l.fresh_count, 1);
    size_t count = lanes_evict(&l, &eviction, 1);
    assert_int_equal(count, 1 + l.deferred_count);  // of a or of b, whichever lane comes first
    (void)lanes_evict(&l, &eviction, SIZE_MAX);
    assert_int_equal(l.ready_count, 1);
    take_and_finish(&l, 4);
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_true(load_key(&l, ticket == 1 ? "a" : "b", (int64_t)ticket, 1));
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_true(load_key(&l, ticket == 1 ? "a" : "b", (int64_t)ticket, 1));
    finish(&l, lanes_take(&l));
    finish(&l, lanes_take(&l));
    assert_true(load_key(&l, "b", 3, 1));
    take_and_finish(&l, 3);
    lanes_clear(&l);
}

static void ready_lanes_keep_their_first_events_if_they_may(void **state)
{
    (void)state;
    struct lanes l;
    const struct lanes_eviction eviction = {.kept = 1, .has_ready = true, .on_evicted = on_evicted};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "b", 2), 0);
    for (int64_t offset = 3; offset <= 6; offset++) {
        lanes_put(&l, make(&first, "b", offset), 0);
    }
    fail_call(&l, lanes_take(&l), 1, 0);
    fail_call(&l, lanes_take(&l), 1, 0);
    lanes_wake(&l, 0);
    assert_int_equal(lanes_evict(&l, &eviction, SIZE_MAX), 3);  // one follower of b stays, too
    assert_int_equal(l.evicted_count, 0);
    take_and_finish(&l, 1);
    take_and_finish(&l, 2);
    take_and_finish(&l, 3);
    for (int64_t offset = 4; offset <= 6; offset++) {
        assert_true(load_key(&l, "b", offset, 1));
        take_and_finish(&l, offset);
    }
    lanes_clear(&l);
}

static void ready_lanes_keep_their_first_events_and_their_turn(void **state)
{
    (void)state;
    struct lanes l;
    const struct lanes_eviction eviction = {.kept = 1, .has_ready = true, .on_evicted = on_evicted};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    static const char *const KEYS[] = {"a", "b", "c", "d", "e"};
    for (int64_t i = 0; i < 5; i++) {
        lanes_put(&l, make(&first, KEYS[i], i), 0);
        lanes_put(&l, make(&first, KEYS[i], 10 + 2 * i), 0);
        lanes_put(&l, make(&first, KEYS[i], 11 + 2 * i), 0);
    }
    for (int64_t i = 0; i < 5; i++) {
        fail_call(&l, lanes_take(&l), 1, 0);
    }
    lanes_wake(&l, 0);
    assert_int_equal(lanes_evict(&l, &eviction, SIZE_MAX), 5);  // the last event of each
    assert_int_equal(l.evicted_count, 0);
    for (int64_t i = 0; i < 5; i++) {
        take_and_finish(&l, i);
        lanes_prefer(&l, l.ready_last);
        take_and_finish(&l, 10 + 2 * i);
        assert_true(load_key(&l, KEYS[i], 11 + 2 * i, 1));
        lanes_prefer(&l, l.ready_last);
        take_and_finish(&l, 11 + 2 * i);
    }
    lanes_clear(&l);
}

static void an_event_without_a_key_is_read_again_by_its_offset(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_NONE);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    fail_call(&l, lanes_take(&l), 1, 500);
    fail_call(&l, lanes_take(&l), 2, 600);
    assert_int_equal(evict(&l, 0, 0), 2);
    lanes_wake(&l, 500);
    assert_false(load(&l, 2, 8));
    assert_true(load(&l, 1, 8));
    take_and_finish(&l, 1);
    lanes_wake(&l, 600);
    assert_true(load(&l, 2, 8));
    take_and_finish(&l, 2);
    lanes_clear(&l);
}

static void a_sent_event_whose_record_is_gone_is_taken_out(void **state)
{
    (void)state;
    struct lanes l;
    uint64_t ticket;
    struct work_item *item;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    fail_call(&l, lanes_take(&l), 3, 500);
    assert_int_equal(evict(&l, 0, 0), 2);
    assert_false(lanes_take_gone(&l, &first, 0, 100, &ticket, &item));  // not due
    lanes_wake(&l, 500);
    assert_true(lanes_take_gone(&l, &first, 0, 2, &ticket, &item));
    assert_int_equal(item->ticket, 1);
    work_item_free(item);
    assert_true(lanes_take_gone(&l, &first, 0, 100, &ticket, &item));
    assert_int_equal(ticket, 2);
    assert_null(item);
    assert_int_equal(l.evicted_count + l.deferred_count, 0);
    lanes_clear(&l);
}

static void a_replaced_log_drops_events_without_records(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 3; i++) {
        lanes_put(&l, make(&first, "a", i), 0);
    }
    lanes_put(&l, make(&first, "b", 4), 0);
    fail_call(&l, lanes_take(&l), 3, 500);
    struct work_item *busy = lanes_take(&l);
    assert_int_equal(evict(&l, 0, 0), 3);
    assert_int_equal(free_list(lanes_drop_evicted(&l, &first)), 1);
    assert_int_equal(l.evicted_count + l.deferred_count, 0);
    finish(&l, busy);
    lanes_clear(&l);
}

/** Queues an event; one of seven was sent before a restart, whatever was in front of it then. */
static void put_random(struct lanes *l, const char *key, int64_t ticket, unsigned dice, uint32_t *attempts)
{
    const struct lane_record which = record_of(key, ticket);
    if (lanes_defer(l, &which)) {
        return;
    }
    struct work_item *item = make(&first, key, ticket);
    if (dice % 7 == 0) {
        item->retry.first_attempt_us = 1;
        item->retry.attempts = *attempts = dice % 5;
        work_item_fail(item);
    }
    lanes_put(l, item, 0);
}

/** Random lanes, failures, evictions and reloads: each event is delivered once, in the order of its key, with
 * all of its attempts. */
static void whatever_is_evicted_the_order_of_a_key_and_its_attempts_stay(void **state)
{
    (void)state;
    enum { KEYS = 7, EVENTS = 3000 };
    static const char *const keys[KEYS] = {"a", "b", "c", "d", "e", "f", "g"};
    for (unsigned seed = 1; seed <= 20; seed++) {
        int64_t last[KEYS] = {0};
        uint32_t attempts[EVENTS + 1] = {0};
        unsigned random = seed;
        struct lanes l;
        lanes_init(&l, FUNCTION_ORDER_KEY);
        int64_t now_us = 0;
        int64_t next = 1;
        size_t settled = 0;
        while (settled < EVENTS) {
            now_us++;
            random = random * 1103515245 + 12345;
            unsigned dice = random >> 16;
            if (next <= EVENTS && dice % 3 == 0) {
                put_random(&l, keys[next % KEYS], next, dice, &attempts[next]);
                next++;
            }
            if (dice % 50 == 0) {
                (void)evict(&l, dice % 2, now_us);
            }
            lanes_wake(&l, now_us);
            struct partition *p;
            uint64_t ticket;
            lanes_rewind_wanted(&l);
            while (dice % 5 == 0 && lanes_next_wanted(&l, &p, &ticket)) {
                assert_true(load_key(&l, keys[ticket % KEYS], (int64_t)ticket, 4));
            }
            struct work_item *item = lanes_take(&l);
            if (item == NULL) {
                continue;
            }
            assert_int_equal(item->retry.attempts, attempts[item->ticket]);
            if (dice % 4 == 1) {
                attempts[item->ticket]++;
                fail_call(&l, item, item->retry.attempts + 1, now_us + 20);
                continue;
            }
            assert_true((int64_t)item->ticket > last[item->ticket % KEYS]);
            last[item->ticket % KEYS] = (int64_t)item->ticket;
            settled++;
            finish(&l, item);
        }
        assert_int_equal(l.loaded_count + l.evicted_count + l.deferred_count, 0);
        lanes_clear(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_whose_event_was_parked_is_parked_again),
        cmocka_unit_test(a_ticket_whose_event_waited_for_a_retry_waits_again),
        cmocka_unit_test(what_waits_behind_a_busy_lane_can_wait_as_tickets),
        cmocka_unit_test(events_of_a_log_that_is_gone_never_wait_as_tickets),
        cmocka_unit_test(tickets_of_records_that_are_gone_are_taken_out_in_order),
        cmocka_unit_test(a_dropped_partition_takes_its_tickets_along),
        cmocka_unit_test(an_event_that_was_sent_keeps_its_attempts_without_its_record),
        cmocka_unit_test(a_ready_lane_is_evicted_only_if_its_first_event_was_sent),
        cmocka_unit_test(ready_lanes_keep_their_first_events_if_they_may),
        cmocka_unit_test(ready_lanes_keep_their_first_events_and_their_turn),
        cmocka_unit_test(an_event_without_a_key_is_read_again_by_its_offset),
        cmocka_unit_test(a_sent_event_whose_record_is_gone_is_taken_out),
        cmocka_unit_test(a_replaced_log_drops_events_without_records),
        cmocka_unit_test(whatever_is_evicted_the_order_of_a_key_and_its_attempts_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
