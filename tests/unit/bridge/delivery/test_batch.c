// bridge/delivery/batch: which events one call takes, and how a rejected batch is bisected.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include <utlist.h>

#include "bridge/delivery/batch.h"
#include "bridge/delivery/bisect.h"
#include "bridge/delivery/lanes_delayed.h"
#include "lane_case.h"

static void a_batch_takes_a_key_together_and_holds_every_lane_it_touches(void **state)
{
    (void)state;
    struct lanes l;
    struct batch_limits limits = {.events_max = 3, .bytes_max = 1000};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "b", 2), 0);
    lanes_put(&l, make(&first, "a", 3), 0);
    lanes_put(&l, make(&first, "b", 4), 0);
    struct work_item *one = batch_next(&limits, &l, 0, NULL);
    struct work_item *two = batch_next(&limits, &l, 1, one);
    struct work_item *three = batch_next(&limits, &l, 2, two);
    assert_null(batch_next(&limits, &l, 3, three));
    assert_int_equal(one->record->offset, 1);
    assert_int_equal(two->record->offset, 3);
    assert_int_equal(three->record->offset, 2);
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
    lanes_put(&l, make(&first, "a", 1), 0);
    lanes_put(&l, make(&first, "a", 2), 0);
    lanes_put(&l, make(&first, "a", 3), 0);
    lanes_put(&l, make(&first, "b", 4), 0);
    struct work_item *batch[4];
    for (size_t i = 0; i < COUNT_OF(batch); i++) {
        batch[i] = batch_next(&limits, &l, i, i == 0 ? NULL : batch[i - 1]);
    }
    lanes_put(&l, make(&first, "a", 5), 0);
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
    lanes_put(&l, make(&first, "a", 100), 0);
    assert_false(batch_is_due(&limits, &l, 200, &wait_us));
    assert_int_equal(wait_us, 400);
    assert_true(batch_is_due(&limits, &l, 600, &wait_us));
    limits.bytes_max = 10;
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    limits.bytes_max = 1000;
    limits.window_us = 0;
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    limits.window_us = 500;
    lanes_put(&l, make(&first, "b", 101), 0);
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    take_and_finish(&l, 100);
    take_and_finish(&l, 101);
    lanes_clear(&l);
}

static void an_event_that_is_sent_again_waits_for_no_window(void **state)
{
    (void)state;
    struct lanes l;
    int64_t wait_us;
    struct batch_limits limits = {.events_max = 2, .bytes_max = 1000, .window_us = 500};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 100), 0);
    struct work_item *item = lanes_take(&l);
    item->retry.first_attempt_us = 150;
    lanes_delay(&l, item, 0);
    lanes_wake(&l, 200);
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    take_and_finish(&l, 100);
    lanes_clear(&l);
}

/** Lanes in the order in which they became ready: the first is not always the one that has waited longest. */
static void a_batch_is_due_for_any_ready_lane(void **state)
{
    (void)state;
    struct lanes l;
    int64_t wait_us;
    struct batch_limits limits = {.events_max = 9, .bytes_max = 1000, .window_us = 500};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 100), 0);
    struct work_item *busy = lanes_take(&l);
    lanes_put(&l, make(&first, "a", 110), 0);
    lanes_put(&l, make(&first, "b", 400), 0);
    assert_false(batch_is_due(&limits, &l, 450, &wait_us));
    assert_int_equal(wait_us, 450);
    finish(&l, busy);  // a is ready behind b, with an older event
    assert_false(batch_is_due(&limits, &l, 450, &wait_us));
    assert_int_equal(wait_us, 160);
    assert_true(batch_is_due(&limits, &l, 610, &wait_us));
    take_and_finish(&l, 400);
    struct work_item *again = lanes_take(&l);
    again->retry.first_attempt_us = 450;
    lanes_put(&l, make(&first, "c", 470), 0);
    lanes_delay(&l, again, 0);
    assert_true(batch_is_due(&limits, &l, 480, &wait_us));  // a is behind c, and was sent before
    take_and_finish(&l, 470);
    take_and_finish(&l, 110);
    assert_false(batch_is_due(&limits, &l, 10000, &wait_us));
    lanes_clear(&l);
}

static void a_batch_by_key_is_due_by_its_own_lane(void **state)
{
    (void)state;
    struct lanes l;
    int64_t wait_us;
    struct batch_limits limits = {.events_max = 2, .bytes_max = 1000, .window_us = 500, .by_key = true};
    lanes_init(&l, FUNCTION_ORDER_KEY);
    lanes_put(&l, make(&first, "a", 100), 0);
    lanes_put(&l, make(&first, "b", 110), 0);
    assert_false(batch_is_due(&limits, &l, 200, &wait_us));  // two events, and no key has two
    assert_int_equal(wait_us, 400);
    lanes_put(&l, make(&first, "b", 120), 0);
    assert_true(batch_is_due(&limits, &l, 200, &wait_us));
    struct work_item *one = batch_next(&limits, &l, 0, NULL);
    struct work_item *two = batch_next(&limits, &l, 1, one);
    assert_int_equal(one->record->offset, 110);
    assert_int_equal(two->record->offset, 120);
    assert_false(batch_is_due(&limits, &l, 200, &wait_us));
    assert_true(batch_is_due(&limits, &l, 600, &wait_us));
    finish(&l, one);
    finish(&l, two);
    take_and_finish(&l, 100);
    lanes_clear(&l);
}

/** With order `partition` a lane has many keys; events without a key are alone. */
static void a_batch_by_key_ends_where_the_key_ends(void **state)
{
    (void)state;
    struct lanes l;
    struct batch_limits limits = {.events_max = 9, .bytes_max = 1000, .by_key = true};
    static const char *const KEYS[] = {"a", "a", "b", NULL, NULL, "b"};
    static const size_t SIZES[] = {2, 1, 1, 1, 1};
    lanes_init(&l, FUNCTION_ORDER_PARTITION);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        lanes_put(&l, make(&first, KEYS[i], 1 + (int64_t)i), 0);
    }
    int64_t offset = 1;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        struct work_item *batch[3];
        size_t count = 0;
        while ((batch[count] = batch_next(&limits, &l, count, count == 0 ? NULL : batch[count - 1])) !=
               NULL) {
            assert_int_equal(batch[count]->record->offset, offset++);
            count++;
        }
        assert_int_equal(count, SIZES[i]);
        for (size_t j = 0; j < count; j++) {
            finish(&l, batch[j]);
        }
    }
    lanes_clear(&l);
}

enum { BATCH = 100 };

/** A batch of what is ready; its length. */
static size_t take_batch(struct lanes *l, const struct batch_limits *limits, struct work_item **batch)
{
    size_t count = 0;
    while ((batch[count] = batch_next(limits, l, count, count == 0 ? NULL : batch[count - 1])) != NULL) {
        count++;
        assert_true(count <= BATCH);
    }
    return count;
}

static void bisect(struct lanes *l, struct work_item **batch, size_t count, struct bisect *b)
{
    struct work_item *list = NULL;
    for (size_t i = count; i > 0; i--) {
        LL_PREPEND(list, batch[i - 1]);
    }
    bisect_split(b, list, count);
    lanes_delay(l, list, 0);
}

/** One event of a hundred, of few or of many keys, is refused: how many rejected calls it takes to find it,
 * and that no other event is ever alone with it. */
static void bisecting_finds_one_event_among_n_in_log2_n_rejections(void **state)
{
    (void)state;
    static char keys[BATCH][8];
    const struct batch_limits limits = {.events_max = BATCH, .bytes_max = 1 << 20};
    for (int64_t poison = 0; poison < BATCH; poison++) {
        for (size_t key_count = 1; key_count <= BATCH; key_count += 33) {
            struct lanes l;
            lanes_init(&l, FUNCTION_ORDER_KEY);
            for (int64_t i = 0; i < BATCH; i++) {
                (void)snprintf(keys[i], sizeof(keys[i]), "k%zu", (size_t)i % key_count);
                lanes_put(&l, make(&first, keys[i], i), 0);
            }
            struct work_item *batch[BATCH + 1];
            size_t rejections = 0;
            struct bisect b = {0};
            size_t settled = 0;
            bool is_found = false;
            for (size_t count; (count = take_batch(&l, &limits, batch)) > 0;) {
                bool has_poison = false;
                for (size_t i = 0; i < count; i++) {
                    has_poison = has_poison || batch[i]->record->offset == poison;
                }
                if (has_poison && count > 1) {
                    rejections++;
                    bisect(&l, batch, count, &b);
                    continue;
                }
                is_found = is_found || has_poison;
                settled += count;
                for (size_t i = 0; i < count; i++) {
                    finish(&l, batch[i]);
                }
            }
            assert_true(is_found);
            assert_int_equal(settled, BATCH);
            assert_true(rejections <= 7);
            lanes_clear(&l);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_takes_a_key_together_and_holds_every_lane_it_touches),
        cmocka_unit_test(what_is_put_back_comes_again_in_order_behind_what_is_held),
        cmocka_unit_test(a_batch_is_due_by_count_bytes_or_window),
        cmocka_unit_test(a_batch_is_due_for_any_ready_lane),
        cmocka_unit_test(a_batch_by_key_is_due_by_its_own_lane),
        cmocka_unit_test(a_batch_by_key_ends_where_the_key_ends),
        cmocka_unit_test(an_event_that_is_sent_again_waits_for_no_window),
        cmocka_unit_test(bisecting_finds_one_event_among_n_in_log2_n_rejections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
