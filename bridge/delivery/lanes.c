#include "bridge/delivery/lanes.h"

#include "bridge/delivery/ticket_queue.h"
#include "bridge/intake/partition.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum { FIRST_BUCKETS = 256 };

enum lane_state {
    LANE_NEW,
    LANE_READY,    // in the ready list
    LANE_BUSY,     // an invocation holds events of it
    LANE_WANTING,  // in the wanting list
};

struct lane {
    enum lane_state state;
    bool is_loading;  // the record of its first ticket is being read
    bool is_keyed;    // in a bucket; else it has one event
    struct lane *next_in_bucket;
    struct lane *next;  // in the ready or the wanting list
    struct lane *previous;
    struct event *first;  // queued, in order
    struct event *last;
    struct ticket_queue deferred;  // the tickets behind the queued events
    struct partition *partition;
    uint64_t hash;
    size_t waiting_count;  // events queued, and the bytes of their values
    size_t waiting_bytes;
    uint32_t taken;  // events that are in an invocation
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

static struct lane *new_lane(struct lanes *l, const struct lane_key *key)
{
    struct lane *lane = memory_new(sizeof(*lane) + key->key.size);
    *lane = (struct lane){.partition = key->partition, .key_size = key->key.size};
    if (key->key.size > 0) {
        memcpy(lane->key, key->key.data, key->key.size);
    }
    l->lane_count++;
    return lane;
}

static uint64_t hash_of(const struct lane_key *key)
{
    return text_hash(key->key) ^ ((uint64_t)(uintptr_t)key->partition * UINT64_C(0x9e3779b97f4a7c15));
}

/** Compares the whole keys: keys with equal hashes have different lanes. */
static struct lane *find_hashed(const struct lanes *l, const struct lane_key *key, uint64_t hash)
{
    for (struct lane *lane = *bucket_of(l, hash); lane != NULL; lane = lane->next_in_bucket) {
        if (lane->hash == hash && lane->partition == key->partition &&
            slice_equal(slice_make(lane->key, lane->key_size), key->key)) {
            return lane;
        }
    }
    return NULL;
}

/** Whether events with this key share a lane. With order `partition` the key becomes empty. */
static bool is_shared(const struct lanes *l, struct lane_key *key)
{
    if (l->order == FUNCTION_ORDER_PARTITION) {
        key->key = (struct slice){NULL, 0};
        return true;
    }
    return l->order == FUNCTION_ORDER_KEY && key->has_key;
}

static struct lane *find(const struct lanes *l, const struct lane_key *key)
{
    struct lane_key own = *key;
    return is_shared(l, &own) ? find_hashed(l, &own, hash_of(&own)) : NULL;
}

static struct lane *find_or_make(struct lanes *l, const struct lane_key *key)
{
    uint64_t hash = hash_of(key);
    struct lane *lane = find_hashed(l, key, hash);
    if (lane != NULL) {
        return lane;
    }
    if (l->lane_count > l->bucket_count) {
        grow(l);
    }
    struct lane **bucket = bucket_of(l, hash);
    lane = new_lane(l, key);
    lane->hash = hash;
    lane->is_keyed = true;
    lane->next_in_bucket = *bucket;
    *bucket = lane;
    return lane;
}

static struct lane *lane_of(struct lanes *l, const struct event *e)
{
    struct lane_key key = {e->partition, e->has_key, e->key};
    if (is_shared(l, &key)) {
        return find_or_make(l, &key);
    }
    key.key = (struct slice){NULL, 0};
    return new_lane(l, &key);
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
    INVARIANT(lane->deferred.count == 0);
    ticket_queue_clear(&lane->deferred);
    l->lane_count--;
    free(lane);
}

static void append(struct lane **first, struct lane **last, struct lane *lane)
{
    lane->next = NULL;
    lane->previous = *last;
    *(*last == NULL ? first : &(*last)->next) = lane;
    *last = lane;
}

static void take_out(struct lane **first, struct lane **last, struct lane *lane)
{
    *(lane->previous == NULL ? first : &lane->previous->next) = lane->next;
    *(lane->next == NULL ? last : &lane->next->previous) = lane->previous;
}

/** The only place where a lane changes its state. */
static void enter(struct lanes *l, struct lane *lane, enum lane_state state)
{
    if (lane->state == LANE_READY) {
        take_out(&l->ready_first, &l->ready_last, lane);
        l->ready_count -= lane->waiting_count;
        l->ready_bytes -= lane->waiting_bytes;
    } else if (lane->state == LANE_WANTING) {
        l->next_wanted = l->next_wanted == lane ? lane->next : l->next_wanted;
        take_out(&l->wanting_first, &l->wanting_last, lane);
    }
    lane->state = state;
    if (state == LANE_READY) {
        append(&l->ready_first, &l->ready_last, lane);
        l->ready_count += lane->waiting_count;
        l->ready_bytes += lane->waiting_bytes;
    } else if (state == LANE_WANTING) {
        append(&l->wanting_first, &l->wanting_last, lane);
        l->next_wanted = l->next_wanted == NULL ? lane : l->next_wanted;
        lane->is_loading = true;
    }
}

/** Sets the state of a lane that has no event in flight, from what waits in it. */
static void settle_state(struct lanes *l, struct lane *lane)
{
    if (lane->first != NULL) {
        enter(l, lane, LANE_READY);
    } else if (lane->deferred.count > 0) {
        enter(l, lane, LANE_WANTING);
    } else {
        enter(l, lane, LANE_NEW);
        free_lane(l, lane);
    }
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

static void queue(struct lanes *l, struct lane *lane, struct event *e)
{
    e->lane = lane;
    e->next = NULL;
    *(lane->first == NULL ? &lane->first : &lane->last->next) = e;
    lane->last = e;
    count_in(l, lane, e);
    if (lane->state == LANE_READY) {
        l->ready_count++;
        l->ready_bytes += e->value.size;
    } else if (lane->state != LANE_BUSY) {
        enter(l, lane, LANE_READY);
    }
}

void lanes_put(struct lanes *l, struct event *e)
{
    struct lane *lane = lane_of(l, e);
    INVARIANT(lane->deferred.count == 0);
    queue(l, lane, e);
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
    enter(l, lane, LANE_BUSY);
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
        enter(l, lane, LANE_READY);
    }
}

void lanes_release(struct lanes *l, struct event *e)
{
    struct lane *lane = e->lane;
    INVARIANT(lane->taken > 0);
    e->lane = NULL;
    if (--lane->taken == 0) {
        settle_state(l, lane);
    }
}

bool lanes_defer(struct lanes *l, const struct lane_key *key, uint64_t ticket)
{
    struct lane *lane = l->deferred_count == 0 ? NULL : find(l, key);
    if (lane == NULL || lane->deferred.count == 0) {
        return false;
    }
    ticket_queue_push(&lane->deferred, ticket);
    l->deferred_count++;
    return true;
}

size_t lanes_depth(const struct lanes *l, const struct lane_key *key)
{
    const struct lane *lane = find(l, key);
    return lane == NULL ? 0 : lane->waiting_count + lane->deferred.count;
}

/** Of a log that another one took the place of: its record can't be read again. */
static bool is_irretrievable(const struct event *e)
{
    return !progress_is_current(&e->partition->progress, e->ticket);
}

/** Moves all but the first `keep` queued events to the front of the list, and their tickets to the lane's. */
static struct event *evict_from(struct lanes *l, struct lane *lane, size_t keep, struct event *evicted)
{
    struct event **at = &lane->first;
    struct event *last = NULL;
    for (size_t i = 0; *at != NULL && (i < keep || is_irretrievable(*at)); i++) {
        last = *at;
        at = &last->next;
    }
    struct event *e = *at;
    *at = NULL;
    lane->last = last;
    struct ticket_queue tickets = {0};
    for (struct event *next; e != NULL; e = next) {
        next = e->next;
        ticket_queue_push(&tickets, e->ticket);
        l->deferred_count++;
        count_out(l, lane, e);
        e->lane = NULL;
        e->next = evicted;
        evicted = e;
    }
    ticket_queue_prepend(&lane->deferred, &tickets);
    lane->is_loading = false;
    return evicted;
}

struct event *lanes_evict(struct lanes *l, size_t keep)
{
    struct event *evicted = NULL;
    for (size_t i = 0; i < l->bucket_count; i++) {
        for (struct lane *lane = l->buckets[i]; lane != NULL; lane = lane->next_in_bucket) {
            if (lane->state == LANE_BUSY && lane->waiting_count > keep) {
                evicted = evict_from(l, lane, keep, evicted);
            }
        }
    }
    return evicted;
}

bool lanes_next_wanted(struct lanes *l, struct partition **ret, uint64_t *ret_ticket)
{
    struct lane *lane = l->next_wanted;
    if (lane == NULL) {
        return false;
    }
    l->next_wanted = lane->next;
    *ret = lane->partition;
    *ret_ticket = lane->deferred.first;
    return true;
}

void lanes_rewind_wanted(struct lanes *l)
{
    l->next_wanted = l->wanting_first;
}

bool lanes_wants(const struct lanes *l, const struct lane_key *key, uint64_t ticket)
{
    const struct lane *lane = find(l, key);
    return lane != NULL && lane->is_loading && lane->deferred.count > 0 && lane->deferred.first == ticket;
}

bool lanes_load(struct lanes *l, struct event *e, size_t queue_max, uint64_t *ret_ticket)
{
    struct lane_key key = {e->partition, e->has_key, e->key};
    struct lane *lane = find(l, &key);
    INVARIANT(lane != NULL && lane->deferred.count > 0 && lane->deferred.first == e->ticket);
    (void)ticket_queue_pop(&lane->deferred);
    l->deferred_count--;
    queue(l, lane, e);
    lane->is_loading = lane->deferred.count > 0 && lane->waiting_count < queue_max;
    *ret_ticket = lane->deferred.first;
    return lane->is_loading;
}

bool lanes_take_gone(struct lanes *l, const struct partition *p, uint64_t from, uint64_t to,
                     uint64_t *ret_ticket)
{
    for (struct lane *lane = l->wanting_first; lane != NULL; lane = lane->next) {
        uint64_t ticket = lane->deferred.first;
        if (lane->partition == p && ticket >= from && ticket < to) {
            (void)ticket_queue_pop(&lane->deferred);
            l->deferred_count--;
            settle_state(l, lane);
            *ret_ticket = ticket;
            return true;
        }
    }
    return false;
}

static void drop_tickets(struct lanes *l, struct lane *lane)
{
    l->deferred_count -= lane->deferred.count;
    ticket_queue_clear(&lane->deferred);
    lane->is_loading = false;
}

void lanes_drop_tickets(struct lanes *l, const struct partition *p)
{
    for (size_t i = 0; i < l->bucket_count; i++) {
        for (struct lane *lane = l->buckets[i], *next; lane != NULL; lane = next) {
            next = lane->next_in_bucket;
            if (lane->partition != p) {
                continue;
            }
            drop_tickets(l, lane);
            if (lane->state == LANE_WANTING) {
                settle_state(l, lane);
            }
        }
    }
}

/** Moves the lane's queue to the front of the list and frees the lane unless an invocation holds it. */
static struct event *drop_lane(struct lanes *l, struct lane *lane, struct event *dropped)
{
    if (lane->state != LANE_BUSY) {
        enter(l, lane, LANE_NEW);
    }
    drop_tickets(l, lane);
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
        next = lane->next;
        if (lane->partition == p) {  // a lane of one event is in no bucket
            dropped = drop_lane(l, lane, dropped);
        }
    }
    return dropped;
}

const struct event *lanes_oldest(const struct lanes *l)
{
    return l->ready_first == NULL ? NULL : l->ready_first->first;
}
