// Events that wait as tickets alone: when their records are evicted, and how they are read again.
//
// Events are evicted only when a call could start, no lane is ready and the memory is full. Then all events
// in memory wait behind running calls or retries. Evicting them lets the consumer read on, to other keys.
#include "bridge/delivery/delivery_state.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum {
    KEPT_A_LANE = 16,  // events of a busy lane that stay in memory
    LOADED_A_LANE = 256,
};

static struct lane_key key_of(struct partition *p, const rd_kafka_message_t *message)
{
    return (struct lane_key){p, message->key != NULL,
                             slice_make(message->key, message->key == NULL ? 0 : message->key_len)};
}

static size_t release_all(struct delivery *d, struct event *e)
{
    size_t count = 0;
    for (struct event *next; e != NULL; e = next) {
        next = e->next;
        delivery_release(d, e);
        count++;
    }
    return count;
}

void delivery_evict(struct delivery *d)
{
    if (delivery_room(d) > 0 || d->lanes.ready_first != NULL) {
        return;
    }
    size_t count = release_all(d, lanes_evict(&d->lanes, KEPT_A_LANE));
    if (count < d->events_max / 4) {
        count += release_all(d, lanes_evict(&d->lanes, 0));
    }
    if (count > 0) {
        log_debug(d->component, "events_evicted", LOG_WITH(LOG_NUMBER("events", count)),
                  "events behind unsettled ones of their keys were evicted; their records are read again");
        d->is_room_due = true;
    }
}

bool delivery_defer(struct delivery *d, struct partition *p, const rd_kafka_message_t *message,
                    enum consumer_step *ret)
{
    struct lane_key key = key_of(p, message);
    if (d->lanes.order == FUNCTION_ORDER_PARTITION && lanes_depth(&d->lanes, &key) >= d->lane_events_max) {
        d->has_full_partition = true;  // all records of the partition belong to this lane
        *ret = CONSUMER_HELD;
        return true;
    }
    if (message->payload == NULL) {
        return false;  // a tombstone is settled at once
    }
    uint64_t ticket = p->progress.base + (uint64_t)message->offset;
    if (!lanes_defer(&d->lanes, &key, ticket)) {
        return false;
    }
    rd_kafka_timestamp_type_t kind;
    (void)progress_open(&p->progress, message->offset, rd_kafka_message_timestamp(message, &kind));
    *ret = CONSUMER_TAKEN;
    return true;
}

/** Records that are read again have a quarter more room, which new records can't use. */
static bool has_room_to_load(const struct delivery *d)
{
    return d->event_count < d->events_max + d->events_max / 4 &&
           d->event_bytes < DELIVERY_BYTES_MAX + DELIVERY_BYTES_MAX / 4;
}

/** The event of the record that its lane wants next, perhaps made when it was offered before; NULL: not
 * wanted. */
static struct event *wanted_event(struct delivery *d, struct partition *p, rd_kafka_message_t *message)
{
    struct lane_key key = key_of(p, message);
    uint64_t ticket = p->progress.base + (uint64_t)message->offset;
    struct event *e = TAKE(p->refetched);
    if (e != NULL && e->offset == message->offset && lanes_wants(&d->lanes, &key, ticket)) {
        return e;
    }
    event_free(e);
    if (!lanes_wants(&d->lanes, &key, ticket)) {
        return NULL;
    }
    e = event_new(p, message, clock_now_us());
    e->ticket = ticket;
    return e;
}

static bool on_record(void *self, struct partition *p, rd_kafka_message_t *message)
{
    struct delivery *d = self;
    struct event *e = wanted_event(d, p, message);
    if (e == NULL) {
        return true;
    }
    if (!has_room_to_load(d) || !event_resolve(e, d->schemas)) {
        p->refetched = e;
        return false;
    }
    delivery_count(d, e);
    uint64_t next;
    if (lanes_load(&d->lanes, e, LOADED_A_LANE, &next)) {
        refetch_want(d->refetch, p, progress_offset_of(&p->progress, next));
    }
    return true;
}

static void on_gone(void *self, struct partition *p, int64_t from, int64_t to)
{
    struct delivery *d = self;
    uint64_t base = p->progress.base;
    uint64_t ticket;
    size_t count = 0;
    while (lanes_take_gone(&d->lanes, p, base + (uint64_t)from, base + (uint64_t)to, &ticket)) {
        progress_settle(&p->progress, ticket);
        count++;
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
    event_free(TAKE(p->refetched));
    lanes_drop_tickets(&d->lanes, p);
    if (d->refetch != NULL) {
        refetch_stop(d->refetch, p);
    }
}
