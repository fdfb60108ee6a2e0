#include "bridge/delivery/lanes.h"

#include "core/base/memory.h"
#include "core/base/text.h"

enum { FIRST_BUCKETS = 256 };

struct lane {
    struct lane *next_in_bucket;
    struct lane *ready_next;
    struct lane *ready_previous;
    struct event *first;  // queued, in order
    struct event *last;
    const struct partition *partition;
    uint64_t hash;
    size_t waiting_count;  // events queued, and the bytes of their values
    size_t waiting_bytes;
    uint32_t taken;  // events with an invocation
    bool is_ready;
    bool is_keyed;  // in a bucket; else of one event
    size_t key_size;
    uint8_t key[];
};

void lanes_init(struct lanes *l, enum function_order order)
{
    *l = (struct lanes){.order = order, .bucket_count = FIRST_BUCKETS};
    l->buckets = memory_zeroed(l->bucket_count, sizeof(struct lane *));
}

void lanes_clear(struct lanes *l)
{
    INVARIANT(l->lane_count == 0 && l->waiting_count == 0);
    free(l->buckets);
    *l = (struct lanes){0};
}

static struct lane **bucket_of(const struct lanes *l, uint64_t hash)
{
    return &l->buckets[hash & (l->bucket_count - 1)];
}

static void grow(struct lanes *l)
{
    struct lane **old = l->buckets;
    size_t old_count = l->bucket_count;
    l->bucket_count = old_count * 2;
    l->buckets = memory_zeroed(l->bucket_count, sizeof(struct lane *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct lane *lane = old[i], *next; lane != NULL; lane = next) {
            next = lane->next_in_bucket;
            struct lane **bucket = bucket_of(l, lane->hash);
            lane->next_in_bucket = *bucket;
            *bucket = lane;
        }
    }
    free(old);
}

static struct lane *new_lane(struct lanes *l, const struct event *e, struct slice key)
{
    struct lane *lane = memory_new(sizeof(*lane) + key.size);
    *lane = (struct lane){.partition = e->partition, .key_size = key.size};
    if (key.size > 0) {
        memcpy(lane->key, key.data, key.size);
    }
    l->lane_count++;
    return lane;
}

/** The lane of a key in a partition. Full keys are compared: two keys with one hash are two lanes. */
static struct lane *find_or_make(struct lanes *l, const struct event *e, struct slice key)
{
    uint64_t hash = text_hash(key) ^ ((uint64_t)(uintptr_t)e->partition * UINT64_C(0x9e3779b97f4a7c15));
    struct lane **bucket = bucket_of(l, hash);
    for (struct lane *lane = *bucket; lane != NULL; lane = lane->next_in_bucket) {
        if (lane->hash == hash && lane->partition == e->partition &&
            slice_equal(slice_make(lane->key, lane->key_size), key)) {
            return lane;
        }
    }
    if (l->lane_count > l->bucket_count) {
        grow(l);
        bucket = bucket_of(l, hash);
    }
    struct lane *lane = new_lane(l, e, key);
    lane->hash = hash;
    lane->is_keyed = true;
    lane->next_in_bucket = *bucket;
    *bucket = lane;
    return lane;
}

static struct lane *lane_of(struct lanes *l, const struct event *e)
{
    if (l->order == FUNCTION_ORDER_PARTITION) {
        return find_or_make(l, e, (struct slice){NULL, 0});
    }
    if (l->order == FUNCTION_ORDER_NONE || !e->has_key) {
        return new_lane(l, e, (struct slice){NULL, 0});
    }
    return find_or_make(l, e, e->key);
}

static void free_lane(struct lanes *l, struct lane *lane)
{
    if (lane->is_keyed) {
        struct lane **at = bucket_of(l, lane->hash);
        while (*at != lane) {
            at = &(*at)->next_in_bucket;
        }
        *at = lane->next_in_bucket;
    }
    l->lane_count--;
    free(lane);
}

static void make_ready(struct lanes *l, struct lane *lane)
{
    lane->is_ready = true;
    lane->ready_next = NULL;
    lane->ready_previous = l->ready_last;
    *(l->ready_last == NULL ? &l->ready_first : &l->ready_last->ready_next) = lane;
    l->ready_last = lane;
    l->ready_count += lane->waiting_count;
    l->ready_bytes += lane->waiting_bytes;
}

static void unready(struct lanes *l, struct lane *lane)
{
    lane->is_ready = false;
    *(lane->ready_previous == NULL ? &l->ready_first : &lane->ready_previous->ready_next) = lane->ready_next;
    *(lane->ready_next == NULL ? &l->ready_last : &lane->ready_next->ready_previous) = lane->ready_previous;
    l->ready_count -= lane->waiting_count;
    l->ready_bytes -= lane->waiting_bytes;
}

static void count_in(struct lanes *l, struct lane *lane, const struct event *e)
{
    l->waiting_count++;
    lane->waiting_count++;
    lane->waiting_bytes += e->value.size;
}

static void count_out(struct lanes *l, struct lane *lane, const struct event *e)
{
    l->waiting_count--;
    lane->waiting_count--;
    lane->waiting_bytes -= e->value.size;
}

void lanes_put(struct lanes *l, struct event *e)
{
    struct lane *lane = lane_of(l, e);
    e->lane = lane;
    e->next = NULL;
    *(lane->first == NULL ? &lane->first : &lane->last->next) = e;
    lane->last = e;
    count_in(l, lane, e);
    if (lane->is_ready) {
        l->ready_count++;
        l->ready_bytes += e->value.size;
    } else if (lane->taken == 0) {
        make_ready(l, lane);
    }
}

static struct event *take_first(struct lanes *l, struct lane *lane)
{
    struct event *e = lane->first;
    lane->first = e->next;
    e->next = NULL;
    lane->taken++;
    count_out(l, lane, e);
    return e;
}

struct event *lanes_take(struct lanes *l)
{
    struct lane *lane = l->ready_first;
    if (lane == NULL) {
        return NULL;
    }
    unready(l, lane);
    return take_first(l, lane);
}

struct event *lanes_take_more(struct lanes *l, const struct event *e)
{
    return e->lane->first == NULL ? NULL : take_first(l, e->lane);
}

void lanes_put_back(struct lanes *l, struct event *e)
{
    struct lane *lane = e->lane;
    INVARIANT(lane->taken > 0);
    e->next = lane->first;
    if (lane->first == NULL) {
        lane->last = e;
    }
    lane->first = e;
    lane->taken--;
    count_in(l, lane, e);
    if (lane->taken == 0) {
        make_ready(l, lane);
    }
}

void lanes_release(struct lanes *l, struct event *e)
{
    struct lane *lane = e->lane;
    INVARIANT(lane->taken > 0);
    e->lane = NULL;
    if (--lane->taken > 0) {
        return;
    }
    if (lane->first != NULL) {
        make_ready(l, lane);
    } else {
        free_lane(l, lane);
    }
}

/** Moves the lane's queue to the front of the list and frees the lane unless an invocation holds it. */
static struct event *drop_lane(struct lanes *l, struct lane *lane, struct event *dropped)
{
    if (lane->is_ready) {
        unready(l, lane);
    }
    for (struct event *e = lane->first, *next; e != NULL; e = next) {
        next = e->next;
        e->lane = NULL;
        e->next = dropped;
        dropped = e;
        count_out(l, lane, e);
    }
    lane->first = NULL;
    if (lane->taken == 0) {
        free_lane(l, lane);
    }
    return dropped;
}

struct event *lanes_drop(struct lanes *l, const struct partition *p)
{
    struct event *dropped = NULL;
    for (size_t i = 0; i < l->bucket_count; i++) {
        for (struct lane *lane = l->buckets[i], *next; lane != NULL; lane = next) {
            next = lane->next_in_bucket;
            if (lane->partition == p) {
                dropped = drop_lane(l, lane, dropped);
            }
        }
    }
    for (struct lane *lane = l->ready_first, *next; lane != NULL; lane = next) {
        next = lane->ready_next;
        if (lane->partition == p) {  // lanes of one event each are in no bucket
            dropped = drop_lane(l, lane, dropped);
        }
    }
    return dropped;
}

const struct event *lanes_oldest(const struct lanes *l)
{
    return l->ready_first == NULL ? NULL : l->ready_first->first;
}
