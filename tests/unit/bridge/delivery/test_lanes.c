// bridge/delivery/lanes and bridge/delivery/batch: one call for each key at a time, several keys
// concurrently.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bridge/delivery/batch.h"
#include "bridge/delivery/ticket_queue.h"
#include "bridge/intake/partition.h"
#include "core/base/memory.h"

static struct partition first = {.topic = (char *)"t", .number = 0};
static struct partition second = {.topic = (char *)"t", .number = 1};

/** An event of `p` with the key (NULL: none); `offset` identifies it. */
static struct event *make(struct partition *p, const char *key, int64_t offset)
{
    struct event *e = memory_zeroed(1, sizeof(*e));
    e->partition = p;
    e->offset = offset;
    e->arrived_us = offset;
    e->has_key = key != NULL;
    e->key = key == NULL ? (struct slice){NULL, 0} : slice_of(key);
    e->value = slice_of("0123456789");
    return e;
}

static void finish(struct lanes *l, struct event *e)
{
    lanes_release(l, e);
    event_free(e);
}

static void take_and_finish(struct lanes *l, int64_t offset)
{
    struct event *e = lanes_take(l);
    assert_non_null(e);
    assert_int_equal(e->offset, offset);
    finish(l, e);
}

static void a_key_has_one_event_in_flight_and_keeps_its_order(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1));
    lanes_put(&l, make(&first, "a", 2));
    lanes_put(&l, make(&first, "b", 3));
    struct event *a = lanes_take(&l);
    assert_int_equal(a->offset, 1);
    struct event *b = lanes_take(&l);
    assert_int_equal(b->offset, 3);
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
    lanes_put(&l, make(&first, "a", 1));
    lanes_put(&l, make(&second, "a", 2));
    struct event *e = lanes_take(&l);
    struct event *f = lanes_take(&l);
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
    lanes_put(&l, make(&first, NULL, 1));
    lanes_put(&l, make(&first, NULL, 2));
    lanes_put(&l, make(&first, "", 3));
    lanes_put(&l, make(&first, "", 4));
    struct event *taken[] = {lanes_take(&l), lanes_take(&l), lanes_take(&l)};
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
    lanes_put(&l, make(&first, "a", 1));
    lanes_put(&l, make(&first, "b", 2));
    struct event *e = lanes_take(&l);
    assert_null(lanes_take(&l));
    finish(&l, e);
    take_and_finish(&l, 2);
    lanes_clear(&l);
    lanes_init(&l, FUNCTION_ORDER_NONE);
    lanes_put(&l, make(&first, "a", 1));
    lanes_put(&l, make(&first, "a", 2));
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
    struct event *flight[64];
    size_t flying = 0;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 0; i < EVENTS; i++) {
        int64_t k = (i * 7919) % KEYS;
        int size = snprintf(keys[k], sizeof(keys[k]), "k%d", (int)k);
        assert_true(size > 0);
        lanes_put(&l, make(&first, keys[k], i + 1));
    }
    size_t done = 0;
    while (done < EVENTS) {
        struct event *e = flying < COUNT_OF(flight) ? lanes_take(&l) : NULL;
        if (e != NULL) {
            size_t k = (size_t)strtoul((const char *)e->key.data + 1, NULL, 10);
            assert_false(is_taken[k]);
            assert_true(e->offset > last[k]);
            is_taken[k] = true;
            last[k] = e->offset;
            flight[flying++] = e;
            continue;
        }
        size_t at = done % flying;
        is_taken[strtoul((const char *)flight[at]->key.data + 1, NULL, 10)] = false;
        finish(&l, flight[at]);
        flight[at] = flight[--flying];
        done++;
    }
    assert_int_equal(l.lane_count, 0);
    assert_int_equal(l.ready_bytes, 0);
    lanes_clear(&l);
}

static void a_revoked_partition_drops_what_waits_and_leaves_what_runs(void **state)
{
    (void)state;
    struct lanes l;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1));
    lanes_put(&l, make(&first, "a", 2));
    lanes_put(&l, make(&first, NULL, 3));
    lanes_put(&l, make(&second, "a", 4));
    struct event *running = lanes_take(&l);
    size_t dropped = 0;
    for (struct event *e = lanes_drop(&l, &first), *next; e != NULL; e = next) {
        next = e->next;
        assert_null(e->lane);
        event_free(e);
        dropped++;
    }
    assert_int_equal(dropped, 2);
    finish(&l, running);
    take_and_finish(&l, 4);
    lanes_clear(&l);
}

static void a_batch_takes_a_key_together_and_holds_every_lane_it_touches(void **state)
{
    (void)state;
    struct lanes l;
    struct batch_limits limits = {.events_max = 3, .bytes_max = 1000};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1));
    lanes_put(&l, make(&first, "b", 2));
    lanes_put(&l, make(&first, "a", 3));
    lanes_put(&l, make(&first, "b", 4));
    struct event *one = batch_next(&limits, &l, 0, NULL);
    struct event *two = batch_next(&limits, &l, 1, one);
    struct event *three = batch_next(&limits, &l, 2, two);
    assert_null(batch_next(&limits, &l, 3, three));
    assert_int_equal(one->offset, 1);
    assert_int_equal(two->offset, 3);
    assert_int_equal(three->offset, 2);
    assert_null(lanes_take(&l));  // b waits for the batch
    finish(&l, one);
    finish(&l, two);
    lanes_put_back(&l, three);
    take_and_finish(&l, 2);
    take_and_finish(&l, 4);
    lanes_clear(&l);
}

static void what_is_put_back_comes_again_in_order_behind_what_is_held(void **state)
{
    (void)state;
    struct lanes l;
    struct batch_limits limits = {.events_max = 4, .bytes_max = 1000};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1));
    lanes_put(&l, make(&first, "a", 2));
    lanes_put(&l, make(&first, "a", 3));
    lanes_put(&l, make(&first, "b", 4));
    struct event *batch[4];
    for (size_t i = 0; i < COUNT_OF(batch); i++) {
        batch[i] = batch_next(&limits, &l, i, i == 0 ? NULL : batch[i - 1]);
    }
    lanes_put(&l, make(&first, "a", 5));
    for (size_t i = COUNT_OF(batch) - 1; i > 0; i--) {
        lanes_put_back(&l, batch[i]);
    }
    assert_int_equal(l.ready_count, 1);
    take_and_finish(&l, 4);
    assert_null(lanes_take(&l));  // a is held by its first
    finish(&l, batch[0]);
    assert_int_equal(l.ready_count, 3);
    take_and_finish(&l, 2);
    take_and_finish(&l, 3);
    take_and_finish(&l, 5);
    assert_int_equal(l.ready_bytes, 0);
    lanes_clear(&l);
}

static void a_batch_is_due_by_count_bytes_or_window(void **state)
{
    (void)state;
    struct lanes l;
    int64_t wait_us;
    struct batch_limits limits = {.events_max = 2, .bytes_max = 1000, .window_us = 500};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    assert_false(batch_is_due(&limits, &l, 100, &wait_us));
    assert_int_equal(wait_us, -1);
    lanes_put(&l, make(&first, "a", 100));
    assert_false(batch_is_due(&limits, &l, 200, &wait_us));
    assert_int_equal(wait_us, 400);
    assert_true(batch_is_due(&limits, &l, 600, &wait_us));
    limits.bytes_max = 10;
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    limits.bytes_max = 1000;
    limits.window_us = 0;
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    limits.window_us = 500;
    lanes_put(&l, make(&first, "b", 101));
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    take_and_finish(&l, 100);
    take_and_finish(&l, 101);
    lanes_clear(&l);
}

static struct lane_key key_of(struct event *e)
{
    return (struct lane_key){e->partition, e->has_key, e->key};
}

static struct event *make_ticketed(const char *key, int64_t offset)
{
    struct event *e = make(&first, key, offset);
    e->ticket = (uint64_t)offset;
    return e;
}

static size_t free_list(struct event *e)
{
    size_t count = 0;
    for (struct event *next; e != NULL; e = next, count++) {
        next = e->next;
        event_free(e);
    }
    return count;
}

/** Loads the record at `offset` of key "a", as if it had been fetched again. */
static bool load(struct lanes *l, int64_t offset, size_t queue_max)
{
    struct event *e = make_ticketed("a", offset);
    struct lane_key key = key_of(e);
    uint64_t next;
    if (!lanes_wants(l, &key, (uint64_t)offset)) {
        event_free(e);
        return false;
    }
    (void)lanes_load(l, e, queue_max, &next);
    return true;
}

static void what_waits_behind_a_busy_lane_can_wait_as_tickets(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 6; i++) {
        lanes_put(&l, make_ticketed("a", i));
    }
    struct event *busy = lanes_take(&l);
    lanes_put(&l, make_ticketed("b", 7));
    assert_int_equal(free_list(lanes_evict(&l, 2)), 3);  // 4, 5, 6; a ready lane keeps its events
    assert_int_equal(l.deferred_count, 3);
    struct event *later = make_ticketed("a", 8);
    struct lane_key a = key_of(later);
    assert_true(lanes_defer(&l, &a, 8));
    assert_int_equal(lanes_depth(&l, &a), 6);
    event_free(later);
    take_and_finish(&l, 7);
    assert_false(lanes_next_wanted(&l, &p, &ticket));
    finish(&l, busy);
    take_and_finish(&l, 2);
    assert_int_equal(free_list(lanes_evict(&l, 0)), 0);  // nothing in flight
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
    lanes_put(&l, make_ticketed("a", 9));
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
        lanes_put(&l, make_ticketed("a", i));
    }
    struct event *busy = lanes_take(&l);
    first.progress.base = 5;  // progress_restart
    for (int64_t i = 5; i <= 7; i++) {
        lanes_put(&l, make_ticketed("a", i));
    }
    assert_int_equal(free_list(lanes_evict(&l, 0)), 3);
    finish(&l, busy);
    for (int64_t i = 2; i <= 4; i++) {
        assert_false(lanes_next_wanted(&l, &p, &ticket));
        take_and_finish(&l, i);
    }
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_int_equal(ticket, 5);
    lanes_drop_tickets(&l, &first);
    lanes_clear(&l);
    first.progress.base = 0;
}

static void tickets_of_records_that_are_gone_are_taken_out_in_order(void **state)
{
    (void)state;
    struct lanes l;
    struct partition *p;
    uint64_t ticket;
    lanes_init(&l, FUNCTION_ORDER_KEY);
    for (int64_t i = 1; i <= 5; i++) {
        lanes_put(&l, make_ticketed("a", i));
    }
    struct event *busy = lanes_take(&l);
    assert_int_equal(free_list(lanes_evict(&l, 0)), 4);
    assert_false(lanes_take_gone(&l, &first, 0, 100, &ticket));  // the lane is busy
    finish(&l, busy);
    assert_true(lanes_next_wanted(&l, &p, &ticket));
    assert_false(lanes_take_gone(&l, &second, 0, 100, &ticket));
    for (uint64_t gone = 2; gone < 4; gone++) {
        assert_true(lanes_take_gone(&l, &first, 2, 4, &ticket));
        assert_int_equal(ticket, gone);
    }
    assert_false(lanes_take_gone(&l, &first, 2, 4, &ticket));
    assert_true(load(&l, 4, 1));
    take_and_finish(&l, 4);
    assert_true(lanes_take_gone(&l, &first, 5, 6, &ticket));
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
        lanes_put(&l, make_ticketed("a", i));
        lanes_put(&l, make_ticketed("b", 10 + i));
    }
    struct event *busy = lanes_take(&l);
    struct event *other = lanes_take(&l);
    assert_int_equal(free_list(lanes_evict(&l, 0)), 8);
    finish(&l, busy);  // now the lane wants its next event
    lanes_drop_tickets(&l, &first);
    assert_int_equal(l.deferred_count, 0);
    assert_false(lanes_next_wanted(&l, &p, &ticket));
    assert_null(lanes_drop(&l, &first));
    finish(&l, other);
    lanes_clear(&l);
}

static void a_ticket_queue_gives_back_what_was_put_in(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct ticket_queue q = {0};
    struct ticket_queue before = {0};
    uint64_t ticket = 1000;
    for (uint64_t i = 0; i < COUNT; i++) {
        ticket_queue_push(&q, ticket);
        ticket += 1 + i % 3 + (i % 1000 == 0 ? UINT64_C(1) << 40 : 0);
    }
    assert_true(q.size < 2 * COUNT);
    for (uint64_t i = 0; i < 10; i++) {
        ticket_queue_push(&before, i * 100);
    }
    ticket_queue_prepend(&q, &before);
    assert_int_equal(q.count, COUNT + 10);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(ticket_queue_pop(&q), i * 100);
    }
    ticket = 1000;
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_int_equal(ticket_queue_pop(&q), ticket);
        ticket += 1 + i % 3 + (i % 1000 == 0 ? UINT64_C(1) << 40 : 0);
    }
    assert_int_equal(q.count, 0);
    ticket_queue_push(&before, 7);
    ticket_queue_prepend(&q, &before);
    assert_int_equal(ticket_queue_pop(&q), 7);
    ticket_queue_clear(&q);
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
        cmocka_unit_test(a_batch_takes_a_key_together_and_holds_every_lane_it_touches),
        cmocka_unit_test(what_is_put_back_comes_again_in_order_behind_what_is_held),
        cmocka_unit_test(a_batch_is_due_by_count_bytes_or_window),
        cmocka_unit_test(what_waits_behind_a_busy_lane_can_wait_as_tickets),
        cmocka_unit_test(events_of_a_log_that_is_gone_never_wait_as_tickets),
        cmocka_unit_test(tickets_of_records_that_are_gone_are_taken_out_in_order),
        cmocka_unit_test(a_dropped_partition_takes_its_tickets_along),
        cmocka_unit_test(a_ticket_queue_gives_back_what_was_put_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
