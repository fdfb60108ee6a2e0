// Events and partitions for the tests of lanes.
#ifndef TESTS_UNIT_BRIDGE_DELIVERY_LANE_CASE_H
#define TESTS_UNIT_BRIDGE_DELIVERY_LANE_CASE_H

#include "bridge/delivery/lanes.h"
#include "core/base/block_pool.h"
#include "core/base/memory.h"

static struct partition first __attribute__((unused)) = {.topic = (char *)"t", .number = 0};
static struct partition second __attribute__((unused)) = {.topic = (char *)"t", .number = 1};

static inline struct record *make_record(const char *key, int64_t offset)
{
    struct record *r = block_new(sizeof(*r));
    *r = (struct record){.size = sizeof(*r), .reference_count = 1};
    r->topic = "t";
    r->offset = offset;
    r->arrived_us = offset;
    r->has_key = key != NULL;
    r->key = key == NULL ? (struct slice){NULL, 0} : slice_of(key);
    r->value = slice_of("0123456789");
    return r;
}

/** An event of `p` with the key (NULL: none); `offset` identifies it and is its ticket. */
static inline struct work_item *make(struct partition *p, const char *key, int64_t offset)
{
    return work_item_new(p, (uint64_t)offset, make_record(key, offset));
}

static inline void finish(struct lanes *l, struct work_item *item)
{
    lanes_release(l, item);
    work_item_free(item);
}

static inline void take_and_finish(struct lanes *l, int64_t offset)
{
    struct work_item *item = lanes_take(l);
    assert_non_null(item);
    assert_int_equal(item->record->offset, offset);
    finish(l, item);
}

/** Frees a list and returns its length. */
static inline size_t free_list(struct work_item *item)
{
    size_t count = 0;
    for (struct work_item *next; item != NULL; item = next, count++) {
        next = item->next;
        work_item_free(item);
    }
    return count;
}

#endif
