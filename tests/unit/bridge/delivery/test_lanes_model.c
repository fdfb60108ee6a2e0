// bridge/delivery/lanes under random calls, failures, evictions, revocations and replaced logs, against a
// list of what must be there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bridge/delivery/batch.h"
#include "bridge/delivery/bisect.h"
#include "bridge/delivery/lanes_delayed.h"
#include "bridge/delivery/lanes_evicted.h"
#include "bridge/delivery/lanes_parked.h"
#include "lane_case.h"

enum { PARTITIONS = 2, KEYS = 5, EVENTS = 2000, CALLS = 3, CALL_EVENTS = 8 };

static const char *const keys[KEYS] = {"a", "b", "c", "d", NULL};

enum fate { UNREAD, WAITING, TAKEN, TAKEN_AND_REVOKED, SETTLED, DROPPED };

struct model {
    struct lanes l;
    struct partition partitions[PARTITIONS];
    enum fate fate[PARTITIONS][EVENTS];
    uint32_t attempts[PARTITIONS][EVENTS];
    bool is_parked[PARTITIONS][EVENTS];
    size_t released_count;      // parked events that were released
    uint64_t next[PARTITIONS];  // ticket to be read
    struct work_item *calls[CALLS];
    struct bisect bisect;
    uint64_t random;
    int64_t now_us;
};

static unsigned roll(struct model *m, unsigned sides)
{
    m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(m->random >> 33) % sides;
}

static const char *key_at(uint64_t ticket)
{
    return keys[ticket * 7919 / 3 % KEYS];
}

static struct lane_record which(struct partition *p, uint64_t ticket)
{
    const char *key = key_at(ticket);
    return (struct lane_record){p, ticket, key != NULL, key == NULL ? slice_make(NULL, 0) : slice_of(key)};
}

static enum fate *fate_of(struct model *m, const struct partition *p, uint64_t ticket)
{
    return &m->fate[p - m->partitions][ticket];
}

/** The counters are what the lanes hold. */
static void check_counts(const struct lanes *l)
{
    struct lanes sum = {0};
    size_t lane_count = 0;
    for (size_t i = 0; i < l->table.bucket_count; i++) {
        for (const struct lane *lane = l->table.buckets[i]; lane != NULL; lane = lane->next_in_bucket) {
            size_t loaded = 0;
            size_t evicted = 0;
            for (const struct work_item *item = lane->first; item != NULL; item = item->next) {
                assert_true(item->record == NULL || evicted == 0);
                assert_true(item->record != NULL || evicted > 0 || lane->evicted == item);
                loaded += item->record != NULL;
                evicted += item->record == NULL;
            }
            assert_int_equal(lane->loaded_count, loaded);
            assert_int_equal(lane->loaded_bytes, loaded * 10);
            assert_int_equal(lane->evicted_count, evicted);
            assert_int_equal(lane->taken > 0, lane->state == LANE_BUSY);
            bool is_parked = lane->taken == 0 && lane->first != NULL && lane->first->is_parked;
            assert_int_equal(is_parked, lane->state == LANE_PARKED);
            lane_count++;
            sum.loaded_count += loaded;
            sum.evicted_count += evicted;
            sum.deferred_count += lane->deferred.count;
            sum.ready_count += lane->state == LANE_READY ? loaded : 0;
            sum.fresh_count += lane->state == LANE_READY && !work_item_was_tried(lane->first);
        }
    }
    assert_int_equal(l->table.lane_count, lane_count);
    assert_int_equal(l->loaded_count, sum.loaded_count);
    assert_int_equal(l->evicted_count, sum.evicted_count);
    assert_int_equal(l->deferred_count, sum.deferred_count);
    assert_int_equal(l->ready_count, sum.ready_count);
    assert_int_equal(l->ready_bytes, sum.ready_count * 10);
    assert_int_equal(l->fresh_count, sum.fresh_count);
}

/** All that waits is in the lanes, and nothing else. */
static void check_fates(const struct model *m)
{
    size_t waiting = 0;
    size_t taken = 0;
    for (size_t i = 0; i < PARTITIONS; i++) {
        size_t items = 0;
        for (uint64_t ticket = 0; ticket < m->next[i]; ticket++) {
            waiting += m->fate[i][ticket] == WAITING;
            items += m->fate[i][ticket] == TAKEN || m->fate[i][ticket] == TAKEN_AND_REVOKED;
        }
        taken += items;
        assert_true(m->partitions[i].item_count >= items);
    }
    assert_int_equal(m->l.loaded_count + m->l.evicted_count + m->l.deferred_count, waiting);
    size_t items = m->partitions[0].item_count + m->partitions[1].item_count;
    assert_int_equal(m->l.loaded_count + m->l.evicted_count + taken, items);
}

/** No earlier event of its lane waits or is in another place of the call. */
static void check_order(struct model *m, const struct work_item *item)
{
    size_t i = (size_t)(item->partition - m->partitions);
    struct lane_record record = which(item->partition, item->ticket);
    struct lane_key key = lanes_key_of(&m->l, &record);
    for (uint64_t earlier = 0; !key.is_single && earlier < item->ticket; earlier++) {
        struct lane_record other = which(item->partition, earlier);
        struct lane_key other_key = lanes_key_of(&m->l, &other);
        bool is_same = !other_key.is_single && slice_equal(key.key, other_key.key);
        assert_true(!is_same || m->fate[i][earlier] != WAITING);
    }
}

static void read_one(struct model *m)
{
    size_t i = roll(m, PARTITIONS);
    struct partition *p = &m->partitions[i];
    uint64_t ticket = m->next[i];
    if (ticket == EVENTS) {
        return;
    }
    m->next[i]++;
    m->fate[i][ticket] = WAITING;
    struct lane_record record = which(p, ticket);
    if (lanes_defer(&m->l, &record)) {
        return;
    }
    struct work_item *item = make(p, key_at(ticket), (int64_t)ticket);
    int64_t due_us = 0;
    if (roll(m, 9) == 0) {
        item->retry.first_attempt_us = 1;
        item->retry.attempts = m->attempts[i][ticket] = 1 + roll(m, 5);
        work_item_fail(item);
        due_us = m->now_us + roll(m, 50);
        item->is_parked = m->is_parked[i][ticket] = roll(m, 4) == 0;
    }
    lanes_put(&m->l, item, due_us);
}

static void call(struct model *m, struct work_item **at)
{
    const struct batch_limits limits = {.events_max = CALL_EVENTS};
    size_t count = 0;
    struct work_item *last = NULL;
    struct work_item *item;
    while ((item = batch_next(&limits, &m->l, count, last)) != NULL) {
        check_order(m, item);
        assert_non_null(item->record);
        assert_int_equal(*fate_of(m, item->partition, item->ticket), WAITING);
        assert_int_equal(item->retry.attempts, m->attempts[item->partition - m->partitions][item->ticket]);
        assert_false(m->is_parked[item->partition - m->partitions][item->ticket]);
        assert_true(last == NULL || last->retry.group == item->retry.group);
        if (roll(m, 8) == 0) {
            lanes_put_back(&m->l, item);
            return;
        }
        *fate_of(m, item->partition, item->ticket) = TAKEN;
        if (roll(m, 8) == 0) {  // filtered
            *fate_of(m, item->partition, item->ticket) = SETTLED;
            finish(&m->l, item);
            continue;
        }
        item->retry.first_attempt_us = 1;
        *at = last = item;
        at = &item->next;
        count++;
    }
}

/** Settles all, some or none of a call; the others are sent again. */
static void answer(struct model *m, struct work_item **call_items)
{
    struct work_item *items = TAKE(*call_items);
    size_t count = 0;
    for (struct work_item *item = items; item != NULL; item = item->next) {
        count++;
    }
    unsigned kind = roll(m, 4);
    if (kind == 3 && count > 1) {
        bisect_split(&m->bisect, items, count);
    }
    struct work_item *again = NULL;
    struct work_item **end = &again;
    for (struct work_item *item = items, *next; item != NULL; item = next) {
        next = item->next;
        size_t i = (size_t)(item->partition - m->partitions);
        if (kind == 0 || roll(m, 4) == 0 || m->fate[i][item->ticket] == TAKEN_AND_REVOKED) {
            m->fate[i][item->ticket] = SETTLED;
            finish(&m->l, item);
            continue;
        }
        item->retry.attempts = ++m->attempts[i][item->ticket];
        work_item_fail(item);
        if (roll(m, 16) == 0) {
            lanes_park(item);
            m->is_parked[i][item->ticket] = true;
        }
        m->fate[i][item->ticket] = WAITING;
        item->next = NULL;
        *end = item;
        end = &item->next;
    }
    lanes_delay(&m->l, again, roll(m, 2) == 0 ? 0 : m->now_us + 1 + roll(m, 40));
}

static void on_evicted(void *self, struct record *r)
{
    (void)self;
    record_release(r);
}

static void evict(struct model *m)
{
    const struct lanes_eviction eviction = {.kept = roll(m, 3) == 0 ? 2 : 0,
                                            .delayed_after_us = m->now_us + 10 * roll(m, 3),
                                            .has_ready = roll(m, 2) == 0,
                                            .on_evicted = on_evicted};
    size_t before = m->l.loaded_count;
    size_t evicted = lanes_evict(&m->l, &eviction, 1 + roll(m, 30));
    assert_int_equal(evicted, before - m->l.loaded_count);
}

/** Loads what lanes want, or finds that it is gone. */
static void load(struct model *m)
{
    struct partition *p;
    uint64_t ticket;
    lanes_rewind_wanted(&m->l);
    while (roll(m, 4) != 0 && lanes_next_wanted(&m->l, &p, &ticket)) {
        size_t i = (size_t)(p - m->partitions);
        struct work_item *item;
        uint64_t gone;
        if (roll(m, 20) == 0) {
            assert_true(lanes_take_gone(&m->l, p, ticket, ticket + 1, &gone, &item));
            assert_int_equal(gone, ticket);
            m->fate[i][ticket] = SETTLED;
            work_item_free(item);
            continue;
        }
        for (bool wants_more = true; wants_more && roll(m, 5) != 0;) {
            struct lane_record record = which(p, ticket);
            assert_true(lanes_wants(&m->l, &record));
            assert_int_equal(m->fate[i][ticket], WAITING);
            struct lanes_loaded loaded =
                lanes_load(&m->l, &record, make_record(key_at(ticket), (int64_t)ticket), 4);
            if (loaded.is_new && roll(m, 8) == 0) {
                m->is_parked[i][ticket] = roll(m, 2) == 0;
                loaded.item->retry.first_attempt_us = 1;
                work_item_fail(loaded.item);
                lanes_restored(&m->l, loaded.item, m->is_parked[i][ticket], m->now_us + roll(m, 20));
            }
            wants_more = loaded.wants_more;
            ticket = loaded.ticket;
        }
    }
}

static struct work_item *find_parked(struct model *m)
{
    const struct lane_table *t = &m->l.table;
    size_t start = roll(m, (unsigned)t->bucket_count);
    for (size_t i = 0; i < t->bucket_count; i++) {
        struct lane *lane = t->buckets[(start + i) % t->bucket_count];
        for (; lane != NULL; lane = lane->next_in_bucket) {
            if (lane->state == LANE_PARKED) {
                return lane->first;
            }
        }
    }
    return NULL;
}

/** A dead letter is settled: its lane goes on. */
static void release_parked(struct model *m)
{
    struct work_item *item = find_parked(m);
    if (item != NULL) {
        assert_true(m->is_parked[item->partition - m->partitions][item->ticket]);
        *fate_of(m, item->partition, item->ticket) = SETTLED;
        assert_true(lanes_unpark(&m->l, item));
        if (item->record != NULL) {
            record_release(TAKE(item->record));
        }
        work_item_free(item);
        m->released_count++;
    }
}

/** The partition is revoked, and comes back at once, or its log is replaced. */
static void drop(struct model *m)
{
    size_t i = roll(m, PARTITIONS);
    struct partition *p = &m->partitions[i];
    bool is_revoked = roll(m, 2) == 0;
    if (is_revoked) {
        for (uint64_t ticket = 0; ticket < m->next[i]; ticket++) {
            enum fate *fate = &m->fate[i][ticket];
            *fate = *fate == WAITING ? DROPPED : *fate == TAKEN ? TAKEN_AND_REVOKED : *fate;
        }
        (void)free_list(lanes_drop(&m->l, p));
        return;
    }
    size_t before = m->l.evicted_count + m->l.deferred_count;
    size_t dropped = 0;
    bool is_held[EVENTS] = {false};
    for (size_t b = 0; b < m->l.table.bucket_count; b++) {
        for (struct lane *lane = m->l.table.buckets[b]; lane != NULL; lane = lane->next_in_bucket) {
            for (struct work_item *item = lane->first; item != NULL; item = item->next) {
                is_held[item->ticket] |= lane->partition == p && item->record != NULL;
            }
        }
    }
    for (uint64_t ticket = 0; ticket < m->next[i]; ticket++) {
        if (m->fate[i][ticket] == WAITING && !is_held[ticket]) {
            m->fate[i][ticket] = DROPPED;
            dropped++;
        }
    }
    (void)free_list(lanes_drop_evicted(&m->l, p));
    assert_int_equal(before - (m->l.evicted_count + m->l.deferred_count), dropped);
    p->progress.base = m->next[i];
}

static void step(struct model *m)
{
    m->now_us++;
    lanes_wake(&m->l, m->now_us);
    struct work_item **at = &m->calls[roll(m, CALLS)];
    unsigned what = roll(m, 400);
    if (what < 200) {
        read_one(m);
    } else if (what < 330) {
        if (*at == NULL) {
            call(m, at);
        } else {
            answer(m, at);
        }
    } else if (what < 340) {
        release_parked(m);
    } else if (what < 365) {
        evict(m);
    } else if (what < 399) {
        load(m);
    } else {
        drop(m);
    }
    check_counts(&m->l);
}

static void run(enum function_order order, uint64_t seed)
{
    static struct model m;
    m = (struct model){.random = seed};
    lanes_init(&m.l, order);
    for (int i = 0; i < 4 * EVENTS; i++) {
        step(&m);
        if (i % 16 == 0) {
            check_fates(&m);
        }
    }
    // What is left is delivered: nothing is stuck.
    bool has_more = true;
    for (int i = 0; has_more && i < 100 * EVENTS; i++) {
        m.now_us += 10;
        lanes_wake(&m.l, m.now_us);
        load(&m);
        release_parked(&m);
        struct work_item **at = &m.calls[i % CALLS];
        if (*at == NULL) {
            call(&m, at);
        } else {
            answer(&m, at);
        }
        has_more = m.l.table.lane_count > 0;
    }
    assert_int_equal(m.l.table.lane_count, 0);
    assert_true(m.released_count > 20);
    check_fates(&m);
    lanes_clear(&m.l);
}

static void whatever_happens_the_lanes_hold_what_waits(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        run(FUNCTION_ORDER_KEY, seed);
        run(FUNCTION_ORDER_PARTITION, seed);
        run(FUNCTION_ORDER_NONE, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_lanes_hold_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
