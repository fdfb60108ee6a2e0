#include "bridge/delivery/lanes.h"

#include "core/base/memory.h"

void lanes_init(struct lanes *l, enum function_order order)
{
    *l = (struct lanes){.order = order};
    lane_table_init(&l->table);
}

void lanes_clear(struct lanes *l)
{
    INVARIANT(l->loaded_count == 0);
    lane_table_clear(&l->table);
    due_heap_clear(&l->delayed);
    *l = (struct lanes){0};
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

static void leave(struct lanes *l, struct lane *lane)
{
    switch (lane->state) {
    case LANE_NEW:
    case LANE_BUSY:
    case LANE_PARKED:
        break;
    case LANE_READY:
        take_out(&l->ready_first, &l->ready_last, lane);
        l->ready_lanes--;
        l->oldest_us = 0;
        l->ready_count -= lane->loaded_count;
        l->ready_bytes -= lane->loaded_bytes;
        l->fresh_count -= lane->is_fresh ? 1 : 0;
        break;
    case LANE_DELAYED:
        due_heap_remove(&l->delayed, &lane->delay);
        break;
    case LANE_WANTING:
        l->next_wanted = l->next_wanted == lane ? lane->next : l->next_wanted;
        take_out(&l->wanting_first, &l->wanting_last, lane);
        break;
    }
}

void lanes_enter(struct lanes *l, struct lane *lane, enum lane_state state)
{
    leave(l, lane);
    lane->state = state;
    switch (state) {
    case LANE_NEW:
    case LANE_BUSY:
    case LANE_PARKED:
        break;
    case LANE_READY:
        append(&l->ready_first, &l->ready_last, lane);
        l->ready_lanes++;
        if (lane->first->record->arrived_us < l->oldest_us) {
            l->oldest_us = lane->first->record->arrived_us;
        }
        l->ready_count += lane->loaded_count;
        l->ready_bytes += lane->loaded_bytes;
        lane->is_fresh = !work_item_was_tried(lane->first);
        l->fresh_count += lane->is_fresh ? 1 : 0;
        break;
    case LANE_DELAYED:
        due_heap_add(&l->delayed, &lane->delay, lane->due_us);
        lane->due_us = 0;
        break;
    case LANE_WANTING:
        append(&l->wanting_first, &l->wanting_last, lane);
        l->next_wanted = l->next_wanted == NULL ? lane : l->next_wanted;
        lane->is_loading = true;
        break;
    }
}

void lanes_settle_state(struct lanes *l, struct lane *lane)
{
    bool is_empty = lane->first == NULL && lane->deferred.count == 0;
    lane->is_closed = false;
    if (is_empty) {
        lanes_enter(l, lane, LANE_NEW);
        lane_table_remove(&l->table, lane);
    } else if (lane->first != NULL && lane->first->is_parked) {
        lane->due_us = 0;
        lanes_enter(l, lane, LANE_PARKED);
    } else if (lane->due_us != 0) {
        lanes_enter(l, lane, LANE_DELAYED);
    } else if (lane->first != NULL && lane->first->record != NULL) {
        lanes_enter(l, lane, LANE_READY);
    } else {
        lanes_enter(l, lane, LANE_WANTING);
    }
}

void lanes_count_in(struct lanes *l, struct lane *lane, const struct work_item *item)
{
    l->loaded_count++;
    lane->loaded_count++;
    lane->loaded_bytes += item->record->value.size;
    if (lane->state == LANE_READY) {
        l->ready_count++;
        l->ready_bytes += item->record->value.size;
    }
}

void lanes_count_out(struct lanes *l, struct lane *lane, const struct work_item *item)
{
    INVARIANT(lane->state != LANE_READY);
    l->loaded_count--;
    lane->loaded_count--;
    lane->loaded_bytes -= item->record->value.size;
}

void lanes_queue(struct lanes *l, struct lane *lane, struct work_item *item)
{
    INVARIANT(lane->evicted == NULL);
    item->lane = lane;
    item->next = NULL;
    *(lane->first == NULL ? &lane->first : &lane->last->next) = item;
    lane->last = item;
    lanes_count_in(l, lane, item);
}

struct lane_key lanes_key_of(const struct lanes *l, const struct lane_record *record)
{
    struct lane_key key = {.partition = record->partition};
    if (l->order == FUNCTION_ORDER_KEY && record->has_key) {
        key.key = record->key;
    } else if (l->order != FUNCTION_ORDER_PARTITION) {
        key.is_single = true;
        key.key = slice_make(&record->ticket, sizeof(record->ticket));
    }
    return key;
}

size_t lanes_depth(const struct lanes *l, const struct lane_record *record)
{
    struct lane_key key = lanes_key_of(l, record);
    const struct lane *lane = lane_table_find(&l->table, &key);
    return lane == NULL ? 0 : lane->loaded_count + lane->evicted_count + lane->deferred.count;
}

void lanes_put(struct lanes *l, struct work_item *item, int64_t due_us)
{
    struct lane_key key = lanes_key_of(
        l, &(struct lane_record){item->partition, item->ticket, item->record->has_key, item->record->key});
    struct lane *lane = lane_table_find_or_make(&l->table, &key);
    INVARIANT(lane->deferred.count == 0);
    lanes_queue(l, lane, item);
    if (lane->state == LANE_NEW) {
        lane->due_us = due_us;
        lanes_settle_state(l, lane);
    }
}

static struct work_item *take_first(struct lanes *l, struct lane *lane)
{
    struct work_item *item = lane->first;
    lanes_count_out(l, lane, item);
    lane->first = item->next;
    lane->last = item->next == NULL ? NULL : lane->last;
    item->next = NULL;
    lane->since_us = lane->retry_us = 0;
    lane->taken++;
    return item;
}

const struct work_item *lanes_peek(const struct lanes *l)
{
    return l->ready_first == NULL ? NULL : l->ready_first->first;
}

const struct work_item *lanes_peek_more(const struct work_item *item)
{
    const struct work_item *next = item->lane->first;
    bool may_be_sent = next != NULL && next->record != NULL && !next->is_parked;
    return may_be_sent && !item->lane->is_closed ? next : NULL;
}

struct work_item *lanes_take(struct lanes *l)
{
    struct lane *lane = l->ready_first;
    if (lane == NULL) {
        return NULL;
    }
    lanes_enter(l, lane, LANE_BUSY);
    return take_first(l, lane);
}

struct work_item *lanes_take_more(struct lanes *l, const struct work_item *item)
{
    return lanes_peek_more(item) == NULL ? NULL : take_first(l, item->lane);
}

void lanes_give_back(struct lanes *l, struct work_item *item)
{
    struct lane *lane = item->lane;
    INVARIANT(lane->state == LANE_BUSY && lane->taken > 0);
    item->next = lane->first;
    lane->last = lane->first == NULL ? item : lane->last;
    lane->first = item;
    lane->taken--;
    lanes_count_in(l, lane, item);
}

int64_t lanes_oldest_us(struct lanes *l)
{
    if (l->oldest_us == 0 || l->ready_lanes == 0) {
        l->oldest_us = INT64_MAX;
        for (const struct lane *lane = l->ready_first; lane != NULL; lane = lane->next) {
            int64_t arrived_us = lane->first->record->arrived_us;
            l->oldest_us = arrived_us < l->oldest_us ? arrived_us : l->oldest_us;
        }
    }
    return l->oldest_us;
}

void lanes_prefer(struct lanes *l, struct lane *lane)
{
    take_out(&l->ready_first, &l->ready_last, lane);
    lane->previous = NULL;
    lane->next = l->ready_first;
    *(l->ready_first == NULL ? &l->ready_last : &l->ready_first->previous) = lane;
    l->ready_first = lane;
}

void lanes_place_before(struct lanes *l, struct lane *lane, struct lane *next)
{
    take_out(&l->ready_first, &l->ready_last, lane);
    lane->next = next;
    lane->previous = next->previous;
    *(next->previous == NULL ? &l->ready_first : &next->previous->next) = lane;
    next->previous = lane;
}

void lanes_prefer_fresh(struct lanes *l)
{
    struct lane *lane = l->fresh_count == 0 ? NULL : l->ready_first;
    while (lane != NULL && !lane->is_fresh) {
        lane = lane->next;
    }
    if (lane != NULL) {
        lanes_prefer(l, lane);
    }
}

void lanes_put_back(struct lanes *l, struct work_item *item)
{
    lanes_give_back(l, item);
    if (item->lane->taken == 0) {
        lanes_settle_state(l, item->lane);
        lanes_prefer(l, item->lane);
    }
}

void lanes_release(struct lanes *l, struct work_item *item)
{
    struct lane *lane = item->lane;
    INVARIANT(lane->taken > 0);
    item->lane = NULL;
    if (--lane->taken == 0) {
        lanes_settle_state(l, lane);
    }
}

/** Moves the lane's queue to the front of the list, and frees the lane unless a call holds it. */
static struct work_item *drop_lane(struct lanes *l, struct lane *lane, struct work_item *dropped)
{
    if (lane->state != LANE_BUSY) {
        lanes_enter(l, lane, LANE_NEW);
    }
    l->deferred_count -= lane->deferred.count;
    ticket_queue_clear(&lane->deferred);
    for (struct work_item *item = lane->first, *next; item != NULL; item = next) {
        next = item->next;
        if (item->record != NULL) {
            lanes_count_out(l, lane, item);
        }
        item->lane = NULL;
        item->next = dropped;
        dropped = item;
    }
    l->evicted_count -= lane->evicted_count;
    lane->evicted_count = 0;
    lane->first = lane->last = lane->evicted = NULL;
    lane->is_loading = lane->is_closed = false;
    lane->due_us = 0;
    if (lane->taken == 0) {
        lane_table_remove(&l->table, lane);
    }
    return dropped;
}

struct work_item *lanes_drop(struct lanes *l, const struct partition *p)
{
    struct work_item *dropped = NULL;
    for (size_t i = 0; i < l->table.bucket_count; i++) {
        for (struct lane *lane = l->table.buckets[i], *next; lane != NULL; lane = next) {
            next = lane->next_in_bucket;
            if (lane->partition == p) {
                dropped = drop_lane(l, lane, dropped);
            }
        }
    }
    return dropped;
}
