// bridge/delivery/bisect: which failed batches are split, with calls one at a time and many at once.
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

enum { EVENTS = 600, KEYS = 7, CALLS = 4, BATCH = 16, ATTEMPTS = 3 };

static const char *const keys[KEYS] = {"a", "b", "c", "d", "e", "f", "g"};

/** A function that fails calls with a poisoned event, names single events as failed, or is down. */
struct world {
    struct lanes l;
    struct bisect bisect;
    struct batch_limits limits;
    bool is_poisoned[EVENTS];
    bool is_dead[EVENTS];
    bool is_delivered[EVENTS];
    uint32_t attempts[EVENTS];
    int64_t last[KEYS];  // the last offset of a key that was settled
    struct work_item *calls[CALLS];
    size_t call_count;
    size_t split_count;
    uint64_t random;
    int64_t now_us;
    bool is_down;
    bool is_partial;
};

static unsigned roll(struct world *w, unsigned sides)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->random >> 33) % sides;
}

static void start(struct world *w, struct work_item **call)
{
    size_t count = 0;
    struct work_item *last = NULL;
    struct work_item **at = call;
    for (struct work_item *item; (item = batch_next(&w->limits, &w->l, count, last)) != NULL; count++) {
        if (last != NULL && w->limits.by_key) {
            assert_true(slice_equal(last->record->key, item->record->key));
        }
        assert_true(last == NULL || last->retry.group == item->retry.group);
        item->retry.first_attempt_us =
            item->retry.first_attempt_us == 0 ? w->now_us : item->retry.first_attempt_us;
        *at = last = item;
        at = &item->next;
    }
    w->call_count += count > 0;
}

/** An event of a key is settled only after all earlier ones of that key. */
static void settle(struct world *w, struct work_item *item, bool *fate)
{
    int64_t offset = item->record->offset;
    assert_false(w->is_dead[offset] || w->is_delivered[offset]);
    fate[offset] = true;
    if (!w->is_partial) {
        assert_true(w->last[offset % KEYS] < offset);
        w->last[offset % KEYS] = offset;
    }
    finish(&w->l, item);
}

static void fail_one(struct world *w, struct work_item *item, struct work_item **again)
{
    int64_t offset = item->record->offset;
    item->retry.attempts = ++w->attempts[offset];
    if (item->retry.attempts == ATTEMPTS) {
        settle(w, item, w->is_dead);
        return;
    }
    item->next = NULL;
    LL_APPEND(*again, item);
}

/** The function named those that are poisoned: the others are done. */
static void end_partially(struct world *w, struct work_item *items)
{
    struct work_item *again = NULL;
    bisect_note_success(&w->bisect, w->now_us);
    for (struct work_item *item = items, *next; item != NULL; item = next) {
        next = item->next;
        if (w->is_poisoned[item->record->offset]) {
            fail_one(w, item, &again);
        } else {
            settle(w, item, w->is_delivered);
        }
    }
    lanes_delay(&w->l, again, w->now_us + 1 + roll(w, 20));
}

static void end(struct world *w, struct work_item **call)
{
    struct work_item *items = TAKE(*call);
    struct work_item *again = NULL;
    size_t count = 0;
    bool fails = w->is_down;
    bool is_last = false;
    for (const struct work_item *item = items; item != NULL; item = item->next, count++) {
        fails = fails || w->is_poisoned[item->record->offset];
        is_last = is_last || item->retry.attempts + 1 == ATTEMPTS;
    }
    if (fails && !w->is_down && w->is_partial) {
        end_partially(w, items);
        return;
    }
    if (!fails) {
        bisect_note_success(&w->bisect, w->now_us);
    } else if (count > 1 && bisect_blames_event(&w->bisect, items, is_last)) {
        bisect_split(&w->bisect, items, count);
        w->split_count++;
        lanes_delay(&w->l, items, w->now_us + 1 + roll(w, 20));
        return;
    } else {
        bisect_note_failure(&w->bisect, items);
    }
    for (struct work_item *item = items, *next; item != NULL; item = next) {
        next = item->next;
        if (fails) {
            fail_one(w, item, &again);
        } else {
            settle(w, item, w->is_delivered);
        }
    }
    lanes_delay(&w->l, again, w->now_us + 1 + roll(w, 20));
}

static void init(struct world *w, enum function_order order, uint64_t seed)
{
    *w = (struct world){.random = seed, .limits = {.events_max = BATCH, .bytes_max = 1 << 20}};
    lanes_init(&w->l, order);
    for (size_t i = 0; i < KEYS; i++) {
        w->last[i] = -1;
    }
    for (int64_t i = 0; i < EVENTS; i++) {
        lanes_put(&w->l, make(&first, keys[i % KEYS], i), 0);
    }
}

/** Runs until `calls` calls were made, or nothing is left. */
static void run(struct world *w, size_t concurrency, size_t calls)
{
    while (w->l.table.lane_count > 0 && w->call_count < calls) {
        w->now_us++;
        (void)lanes_wake(&w->l, w->now_us + 1000 * 1000 * 10);
        struct work_item **call = &w->calls[roll(w, (unsigned)concurrency)];
        if (*call == NULL) {
            start(w, call);
        } else {
            end(w, call);
        }
    }
}

static void finish_world(struct world *w)
{
    w->is_down = false;
    memset(w->is_poisoned, 0, sizeof(w->is_poisoned));
    run(w, CALLS, SIZE_MAX);
    lanes_clear(&w->l);
}

/** Few poisoned events, whatever the order and the calls: they are dead-lettered, and hardly any other is. */
static void poisoned_events_are_found_and_the_others_are_delivered(void **state)
{
    (void)state;
    static struct world w;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        init(&w, seed % 3 == 0 ? FUNCTION_ORDER_PARTITION : FUNCTION_ORDER_KEY, seed);
        w.limits.by_key = seed % 4 == 1;
        w.is_partial = seed % 5 == 2;
        for (int i = 0; i < 6; i++) {
            w.is_poisoned[roll(&w, EVENTS)] = true;
        }
        run(&w, 1 + seed % CALLS, SIZE_MAX);
        for (size_t i = 0; i < EVENTS; i++) {
            assert_true(w.is_dead[i] != w.is_delivered[i]);
            assert_int_equal(w.is_dead[i], w.is_poisoned[i]);
            assert_int_equal(w.attempts[i] == ATTEMPTS, w.is_poisoned[i]);
        }
        lanes_clear(&w.l);
    }
}

/** A function that fails for everything: the first batch is cut on the way to one event, no other is. */
static void a_function_that_is_down_does_not_cut_its_batches_into_pieces(void **state)
{
    (void)state;
    static struct world w;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        init(&w, FUNCTION_ORDER_KEY, seed);
        w.is_down = true;
        w.limits.by_key = true;
        run(&w, CALLS, 20);
        assert_in_range(w.split_count, 1, 4);
        finish_world(&w);
    }
}

/** The halves of a batch run side by side: the second fails while the first has not ended. */
static void a_half_is_split_while_the_other_half_runs(void **state)
{
    (void)state;
    struct bisect b = {0};
    struct work_item *items[4];
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        items[i] = make(&first, "k", (int64_t)i);
        items[i]->retry.first_attempt_us = 1;
    }
    for (size_t i = 0; i + 1 < COUNT_OF(items); i++) {
        items[i]->next = items[i + 1];
    }
    assert_true(bisect_blames_event(&b, items[0], false));
    bisect_split(&b, items[0], COUNT_OF(items));
    assert_int_equal(items[0]->retry.group, items[1]->retry.group);
    assert_int_equal(items[2]->retry.group, items[3]->retry.group);
    assert_int_not_equal(items[1]->retry.group, items[2]->retry.group);
    assert_true(bisect_blames_event(&b, items[2], false));
    bisect_split(&b, items[2], 2);
    // Both halves fail: it is not one event. A success makes it worth a try again.
    assert_false(bisect_blames_event(&b, items[0], false));
    assert_false(bisect_blames_event(&b, items[0], true));
    bisect_note_success(&b, 2);
    assert_true(bisect_blames_event(&b, items[0], false));
    bisect_note_failure(&b, items[3]);
    assert_false(bisect_blames_event(&b, items[0], false));
    assert_true(bisect_blames_event(&b, items[0], true));  // a call has succeeded since its first attempt
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        work_item_free(items[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_is_split_while_the_other_half_runs),
        cmocka_unit_test(poisoned_events_are_found_and_the_others_are_delivered),
        cmocka_unit_test(a_function_that_is_down_does_not_cut_its_batches_into_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
