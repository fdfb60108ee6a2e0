// Events that wait without their records: when records are evicted, and how they are read again.
//
// Records are evicted only when the memory is full and no event is ready that was never sent. Then all events
// in memory wait for, or behind, running calls or retries. Evicting them lets the consumer read on, to other
// keys.
#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_evicted.h"
#include "bridge/delivery/lanes_parked.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum {
    KEPT_A_LANE = 16,  // records of a busy or delayed lane that stay in memory
    LOADED_A_LANE = 256,
    NEAR_US = 2 * 1000000,  // a lane that is due sooner keeps its first record
};

static struct lane_record lane_record_of(struct partition *p, const struct record *r)
{
    return (struct lane_record){p, p->progress.base + (uint64_t)r->offset, r->has_key, r->key};
}

static struct lane_record lane_record_of_message(struct partition *p, const rd_kafka_message_t *message)
{
    return (struct lane_record){p, p->progress.base + (uint64_t)message->offset, message->key != NULL,
                                slice_make(message->key, message->key == NULL ? 0 : message->key_len)};
}

static void on_evicted(void *self, struct record *r)
{
    delivery_release_record(self, r);
}

/** How many records to evict so that a quarter of the room is free, also for new ones. */
static size_t eviction_count(const struct record_memory *m)
{
    size_t quarter = m->count_max / 4;
    size_t kept = m->count_max - quarter;
    size_t excess = m->count > kept ? m->count - kept : 0;
    return excess > quarter ? excess : quarter;
}

/** Evicts in steps, each of which costs more to read again, until a quarter of the room is free. */
void delivery_evict(struct delivery *d)
{
    bool is_full = record_memory_left(&d->memory, RECORD_MEMORY_NEW) == 0;
    if (!is_full || d->lanes.fresh_count > 0) {
        return;
    }
    const int64_t near_us = clock_now_us() + NEAR_US;
    const struct lanes_eviction steps[] = {
        {.kept = KEPT_A_LANE, .delayed_after_us = INT64_MAX, .on_evicted = on_evicted, .self = d},
        {.delayed_after_us = INT64_MAX, .on_evicted = on_evicted, .self = d},
        {.delayed_after_us = near_us, .on_evicted = on_evicted, .self = d},
        // Ready lanes keep their first event as long as possible: one of them may be all that a probe
        // succeeds with.
        {.kept = 1, .delayed_after_us = INT64_MAX, .has_ready = true, .on_evicted = on_evicted, .self = d},
        {.has_ready = true, .on_evicted = on_evicted, .self = d},
    };
    size_t wanted = eviction_count(&d->memory);
    size_t count = 0;
    const bool may_evict_ready = d->may_evict_ready;
    for (size_t i = 0; i < COUNT_OF(steps) && count < wanted; i++) {
        // Until a call begins, other ready lanes would only take the place of these, and be evicted in turn.
        if (!steps[i].has_ready || may_evict_ready) {
            size_t evicted = lanes_evict(&d->lanes, &steps[i], wanted - count);
            d->may_evict_ready = d->may_evict_ready && !(steps[i].has_ready && evicted > 0);
            count += evicted;
        }
    }
    if (count > 0) {
        log_debug(d->component, "events_evicted", LOG_WITH(LOG_NUMBER("events", count)),
                  "records of events behind or in failed calls were evicted; they are read again");
        d->is_room_due = true;
    }
}

bool delivery_defer(struct delivery *d, struct partition *p, const struct record *r, enum consumer_step *ret)
{
    struct lane_record record = lane_record_of(p, r);
    if (d->lanes.order == FUNCTION_ORDER_PARTITION && lanes_depth(&d->lanes, &record) >= d->lane_events_max) {
        d->has_full_partition = true;  // all records of the partition belong to this lane
        *ret = CONSUMER_HELD;
        return true;
    }
    if (!record_is_event(r) || delivery_coalesces(d, r->has_key) || !lanes_defer(&d->lanes, &record)) {
        return false;
    }
    (void)progress_open(&p->progress, r->offset, r->timestamp_ms);
    *ret = CONSUMER_TAKEN;
    return true;
}

/** While the breaker waits for an event that was never sent, events that failed before leave it the room: one
 * of them that is ready is enough. */
static bool has_room_to_load(const struct delivery *d)
{
    if (d->limiter.breaker.state == BREAKER_FAILING && d->lanes.ready_first != NULL) {
        return false;
    }
    return record_memory_left(&d->memory, RECORD_MEMORY_RELOADED) > 0;
}

/** The record that its lane wants next, perhaps made when the message was offered before; NULL: not wanted.
 */
static struct record *wanted_record(struct delivery *d, struct partition *p, rd_kafka_message_t *message)
{
    const struct lane_record record = lane_record_of_message(p, message);
    struct record *r = TAKE(p->refetched);
    if (r != NULL && r->offset == message->offset && lanes_wants(&d->lanes, &record)) {
        return r;
    }
    record_release(r);
    if (!lanes_wants(&d->lanes, &record)) {
        return NULL;
    }
    r = record_new(p->topic, message, clock_now_us());
    job_prepare(d->job, r);
    return r;
}

static bool on_record(void *self, struct partition *p, rd_kafka_message_t *message)
{
    struct delivery *d = self;
    struct record *r = wanted_record(d, p, message);
    if (r == NULL) {
        return true;
    }
    if (!has_room_to_load(d) || !record_resolve(r, d->schemas)) {
        p->refetched = r;
        return false;
    }
    record_memory_add(&d->memory, r);
    const struct lane_record record = lane_record_of_message(p, message);
    struct lanes_loaded loaded = lanes_load(&d->lanes, &record, r, LOADED_A_LANE);
    if (loaded.is_new) {
        int64_t due_us = delivery_restore(d, loaded.item);
        lanes_restored(&d->lanes, loaded.item, loaded.item->letter.is_stored, due_us);
    }
    if (loaded.wants_more) {
        refetch_want(d->refetch, p, progress_offset_of(&p->progress, loaded.ticket));
    }
    return true;
}

static void on_gone(void *self, struct partition *p, int64_t from, int64_t to)
{
    struct delivery *d = self;
    uint64_t base = p->progress.base;
    uint64_t ticket;
    struct work_item *item;
    size_t count = 0;
    while (lanes_take_gone(&d->lanes, p, base + (uint64_t)from, base + (uint64_t)to, &ticket, &item)) {
        progress_settle(&p->progress, ticket);
        count++;
        if (item != NULL) {
            delivery_release(d, item);
        }
    }
    if (count > 0) {
        d->is_room_due = d->is_room_due || p->is_held;  // a full lane held it, which has got shorter
        p->is_held = false;
        metric_add(d->metrics->offset_resets, (double)count);
        log_warn(d->component, "events_gone",
                 LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number),
                          LOG_NUMBER("from", from), LOG_NUMBER("to", to), LOG_NUMBER("events", count)),
                 "records were deleted before they were delivered (compaction or retention)");
    }
}

static void on_swept(void *self, struct partition *p)
{
    (void)p;
    struct delivery *d = self;
    lanes_rewind_wanted(&d->lanes);
}

/** is_refetching: a record that was just refused is not offered again at once. */
static void on_turn_end(void *self)
{
    struct delivery *d = self;
    d->is_refetching = true;
    delivery_pump(d);
    d->is_refetching = false;
}

static struct refetch *make_refetch(struct delivery *d)
{
    const struct refetch_listener listener = {.on_record = on_record,
                                              .on_gone = on_gone,
                                              .on_swept = on_swept,
                                              .on_turn_end = on_turn_end,
                                              .self = d};
    return refetch_new(d->loop, d->settings, d->component, &listener);
}

void delivery_read_wanted(struct delivery *d)
{
    struct partition *p;
    uint64_t ticket;
    while (lanes_next_wanted(&d->lanes, &p, &ticket)) {
        d->refetch = d->refetch == NULL ? make_refetch(d) : d->refetch;
        refetch_want(d->refetch, p, progress_offset_of(&p->progress, ticket));
    }
    if (d->refetch == NULL) {
        return;
    }
    refetch_run(d->refetch);
    if (!d->is_refetching && has_room_to_load(d)) {
        refetch_resume(d->refetch);
    }
}

void delivery_restart_log(struct delivery *d, struct partition *p)
{
    record_release(TAKE(p->refetched));
    record_release(TAKE(p->held));
    d->is_room_due = d->is_room_due || p->is_held;  // what it was held for is of the old log
    p->is_held = false;
    p->attempt_count = 0;
    for (struct work_item *item = lanes_drop_evicted(&d->lanes, p), *next; item != NULL; item = next) {
        next = item->next;
        delivery_release(d, item);
    }
    if (d->refetch != NULL) {
        refetch_stop(d->refetch, p);
    }
}
