// bridge/delivery/lanes_latest: of the events of a key that wait only the latest stays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/lanes_delayed.h"
#include "bridge/delivery/lanes_evicted.h"
#include "bridge/delivery/lanes_latest.h"
#include "tests/unit/bridge/delivery/lane_case.h"

enum { QUIET = 100, LAST = 1000 };

static size_t replaced;
static uint64_t last_replaced;

static void on_replaced(void *self, struct partition *p, uint64_t ticket, struct work_item *item)
{
    (void)self;
    assert_ptr_equal(p, &first);
    replaced++;
    last_replaced = ticket;
    work_item_free(item);
}

static void put(struct lanes *l, const char *key, int64_t offset, int64_t now_us)
{
    const struct lanes_latest latest = {
        .quiet_us = QUIET, .max_us = LAST, .now_us = now_us, .on_replaced = on_replaced};
    lanes_put_latest(l, make(&first, key, offset), &latest);
}

static void start(struct lanes *l)
{
    lanes_init(l, FUNCTION_ORDER_KEY);
    replaced = 0;
    last_replaced = 0;
}

static void the_latest_is_due_when_its_key_has_been_quiet(void **state)
{
    (void)state;
    struct lanes l;
    start(&l);
    put(&l, "a", 1, 10);
    put(&l, "b", 2, 10);
    put(&l, "a", 3, 60);
    assert_int_equal(replaced, 1);
    assert_int_equal(last_replaced, 1);
    lanes_wake(&l, 110);
    take_and_finish(&l, 2);
    assert_null(lanes_peek(&l));
    assert_int_equal(lanes_next_due_us(&l), 160);
    lanes_wake(&l, 160);
    take_and_finish(&l, 3);
    lanes_clear(&l);
}

static void a_key_that_is_never_quiet_is_due_after_the_longest_wait(void **state)
{
    (void)state;
    struct lanes l;
    start(&l);
    for (int64_t at = 0; at < 20; at++) {
        put(&l, "a", at, 10 + at * 50);
    }
    assert_int_equal(lanes_next_due_us(&l), 10 + LAST);
    lanes_wake(&l, 10 + LAST);
    put(&l, "a", 20, 11 + LAST);  // it waits for a limit: replaced, and still due
    take_and_finish(&l, 20);
    assert_int_equal(replaced, 20);
    put(&l, "a", 21, 2000);  // the wait begins anew
    assert_int_equal(lanes_next_due_us(&l), 2000 + QUIET);
    lanes_wake(&l, 3000);
    take_and_finish(&l, 21);
    lanes_clear(&l);
}

static void a_ready_lane_keeps_its_place(void **state)
{
    (void)state;
    struct lanes l;
    start(&l);
    const char *const keys[] = {"a", "b", "c"};
    for (int64_t i = 0; i < 3; i++) {
        put(&l, keys[i], i, 0);
    }
    lanes_wake(&l, QUIET);
    struct lanes_latest at_once = {.now_us = QUIET, .on_replaced = on_replaced};
    lanes_put_latest(&l, make(&first, "b", 10), &at_once);
    lanes_put_latest(&l, make(&first, "a", 11), &at_once);
    assert_int_equal(l.ready_count, 3);
    take_and_finish(&l, 11);
    take_and_finish(&l, 10);
    take_and_finish(&l, 2);
    lanes_clear(&l);
}

static void an_event_that_is_being_sent_is_not_replaced(void **state)
{
    (void)state;
    struct lanes l;
    start(&l);
    put(&l, "a", 1, 0);
    lanes_wake(&l, QUIET);
    struct work_item *sent = lanes_take(&l);
    assert_false(lanes_has_later(sent));
    put(&l, "a", 2, 200);
    put(&l, "a", 3, 210);
    assert_int_equal(replaced, 1);
    assert_int_equal(last_replaced, 2);
    assert_true(lanes_has_later(sent));
    finish(&l, sent);
    assert_null(lanes_peek(&l));
    assert_int_equal(lanes_next_due_us(&l), 210 + QUIET);
    lanes_wake(&l, 310);
    take_and_finish(&l, 3);
    lanes_clear(&l);
}

static void one_that_waits_for_a_retry_is_replaced_and_its_wait_stays(void **state)
{
    (void)state;
    struct lanes l;
    start(&l);
    put(&l, "a", 1, 0);
    lanes_wake(&l, QUIET);
    struct work_item *failed = lanes_take(&l);
    failed->retry.first_attempt_us = 100;
    lanes_delay(&l, failed, 5000);
    put(&l, "a", 2, 200);
    put(&l, "a", 3, 300);
    assert_int_equal(replaced, 2);
    assert_int_equal(lanes_next_due_us(&l), 5000);
    lanes_wake(&l, 5000);
    struct work_item *sent = lanes_take(&l);
    put(&l, "a", 4, 5001);
    lanes_hold(sent, 9000);  // it failed, too, and is replaced by the later one
    finish(&l, sent);
    put(&l, "a", 5, 5002);
    assert_int_equal(lanes_next_due_us(&l), 9000);
    lanes_wake(&l, 9000);
    take_and_finish(&l, 5);
    lanes_clear(&l);
}

static void a_retry_at_once_spares_no_lane_that_a_call_holds(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 3; i++) {
        lanes_put(&l, make(&first, i < 3 ? "a" : "b", i), 0);
    }
    struct work_item *failed = lanes_take(&l);
    struct work_item *held =
        lanes_take_more(&l, failed);  // of the same call; its dead letter is being stored
    lanes_delay(&l, failed, 5000);
    struct work_item *delayed = lanes_take(&l);
    lanes_delay(&l, delayed, 5000);
    lanes_retry_now(&l);
    take_and_finish(&l, 3);
    finish(&l, held);
    take_and_finish(&l, 1);
    lanes_clear(&l);
}

static void a_probe_takes_an_event_that_was_never_sent(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    const char *const keys[] = {"a", "b", "c"};
    for (int64_t i = 0; i < 3; i++) {
        struct work_item *item = make(&first, keys[i], i);
        item->retry.first_attempt_us = i == 2 ? 0 : 1;
        lanes_put(&l, item, 0);
    }
    lanes_prefer_fresh(&l);
    take_and_finish(&l, 2);
    lanes_prefer_fresh(&l);  // none: the order stays
    take_and_finish(&l, 0);
    take_and_finish(&l, 1);
    lanes_clear(&l);
}

static void on_evicted(void *self, struct record *r)
{
    (void)self;
    record_release(r);
}

static void an_evicted_event_is_replaced_by_its_ticket(void **state)
{
    (void)state;
    struct lanes l;
    start(&l);
    put(&l, "a", 1, 0);
    const struct lanes_eviction all = {.delayed_after_us = INT64_MAX, .on_evicted = on_evicted};
    assert_int_equal(lanes_evict(&l, &all, 10), 1);
    assert_int_equal(l.deferred_count, 1);
    put(&l, "a", 2, 50);
    assert_int_equal(replaced, 1);
    assert_int_equal(last_replaced, 1);
    assert_int_equal(l.deferred_count, 0);
    lanes_wake(&l, 150);
    take_and_finish(&l, 2);
    lanes_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_is_due_when_its_key_has_been_quiet),
        cmocka_unit_test(a_key_that_is_never_quiet_is_due_after_the_longest_wait),
        cmocka_unit_test(a_ready_lane_keeps_its_place),
        cmocka_unit_test(an_event_that_is_being_sent_is_not_replaced),
        cmocka_unit_test(one_that_waits_for_a_retry_is_replaced_and_its_wait_stays),
        cmocka_unit_test(an_evicted_event_is_replaced_by_its_ticket),
        cmocka_unit_test(a_retry_at_once_spares_no_lane_that_a_call_holds),
        cmocka_unit_test(a_probe_takes_an_event_that_was_never_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
