#include "bridge/delivery/lanes_evicted.h"

#include "core/base/memory.h"

static struct lane *find(const struct lanes *l, const struct lane_record *record)
{
    struct lane_key key = lanes_key_of(l, record);
    return lane_table_find(&l->table, &key);
}

static bool has_evicted(const struct lane *lane)
{
    return lane->evicted != NULL || lane->deferred.count > 0;
}

static uint64_t wanted_ticket(const struct lane *lane)
{
    return lane->evicted != NULL ? lane->evicted->ticket : lane->deferred.first;
}

bool lanes_defer(struct lanes *l, const struct lane_record *record)
{
    bool is_possible = l->deferred_count + l->evicted_count > 0;
    struct lane *lane = is_possible ? find(l, record) : NULL;
    if (lane == NULL || !has_evicted(lane)) {
        return false;
    }
    ticket_queue_push(&lane->deferred, record->ticket);
    l->deferred_count++;
    return true;
}

/** Of a log that another one took the place of: its record can't be read again. */
static bool is_irretrievable(const struct work_item *item)
{
    return !progress_is_current(&item->partition->progress, item->ticket);
}

static void evict(struct lanes *l, struct lane *lane, struct work_item *item,
                  const struct lanes_eviction *eviction)
{
    lanes_count_out(l, lane, item);
    eviction->on_evicted(eviction->self, TAKE(item->record));
}

/** Behind which queued items all others can wait as tickets: these keep no state, and can be read again. */
static struct work_item *last_to_keep(const struct lane *lane, size_t kept)
{
    struct work_item *last = NULL;
    for (struct work_item *item = lane->first; item != NULL; item = item->next) {
        if (item->record == NULL || work_item_was_tried(item) || item->is_parked || is_irretrievable(item)) {
            last = item;
        }
    }
    struct work_item *next = last == NULL ? lane->first : last->next;
    for (; kept > 0 && next != NULL; kept--) {
        last = next;
        next = last->next;
    }
    return last;
}

/** Turns the item and all that are queued behind it, none of which was ever sent, into tickets. */
static void defer_from(struct lanes *l, struct lane *lane, struct work_item *item,
                       const struct lanes_eviction *eviction)
{
    struct ticket_queue tickets = {0};
    for (struct work_item *next; item != NULL; item = next) {
        next = item->next;
        ticket_queue_push(&tickets, item->ticket);
        l->deferred_count++;
        evict(l, lane, item, eviction);
        work_item_free(item);
    }
    ticket_queue_prepend(&lane->deferred, &tickets);
}

/** Evicts the records of the queued items: those that were sent, and those before these. */
static void evict_records(struct lanes *l, struct lane *lane, const struct lanes_eviction *eviction)
{
    for (struct work_item *item = lane->first; item != lane->evicted && item != NULL; item = item->next) {
        if (!is_irretrievable(item)) {
            evict(l, lane, item, eviction);
            lane->evicted_count++;
            l->evicted_count++;
        }
    }
    struct work_item *item = lane->first;
    while (item != NULL && item->record != NULL) {
        item = item->next;
    }
    lane->evicted = item;
}

static void evict_from(struct lanes *l, struct lane *lane, const struct lanes_eviction *eviction,
                       bool has_tried)
{
    struct work_item *last = last_to_keep(lane, eviction->kept);
    struct work_item *rest = last == NULL ? lane->first : last->next;
    if (rest != NULL) {
        *(last == NULL ? &lane->first : &last->next) = NULL;
        lane->last = last;
        defer_from(l, lane, rest, eviction);
    }
    if (has_tried && eviction->kept == 0) {
        evict_records(l, lane, eviction);
    }
    lane->is_loading = false;
}

static void evict_lane(struct lanes *l, struct lane *lane, const struct lanes_eviction *eviction)
{
    switch (lane->state) {
    case LANE_BUSY:
        evict_from(l, lane, eviction, false);
        break;
    case LANE_DELAYED:
        evict_from(l, lane, eviction, lane->delay.due_us > eviction->delayed_after_us);
        break;
    case LANE_PARKED:
        evict_from(l, lane, eviction, eviction->delayed_after_us < INT64_MAX);
        break;
    case LANE_READY:
        if (eviction->has_ready && !lane->is_fresh) {
            struct lane *next = lane->next;
            lanes_enter(l, lane, LANE_NEW);
            evict_from(l, lane, eviction, true);
            lanes_settle_state(l, lane);
            if (next != NULL && lane->state == LANE_READY) {
                lanes_place_before(l, lane, next);  // its turn does not change
            }
        }
        break;
    case LANE_NEW:
    case LANE_WANTING:
        break;
    }
}

size_t lanes_evict(struct lanes *l, const struct lanes_eviction *eviction, size_t count)
{
    size_t before = l->loaded_count;
    for (size_t i = 0; i < l->table.bucket_count; i++) {
        for (struct lane *lane = l->table.buckets[i]; lane != NULL; lane = lane->next_in_bucket) {
            if (before - l->loaded_count >= count) {
                return before - l->loaded_count;
            }
            if (lane->loaded_count > 0) {
                evict_lane(l, lane, eviction);
            }
        }
    }
    return before - l->loaded_count;
}

bool lanes_next_wanted(struct lanes *l, struct partition **ret, uint64_t *ret_ticket)
{
    struct lane *lane = l->next_wanted;
    if (lane == NULL) {
        return false;
    }
    l->next_wanted = lane->next;
    *ret = lane->partition;
    *ret_ticket = wanted_ticket(lane);
    return true;
}

void lanes_rewind_wanted(struct lanes *l)
{
    l->next_wanted = l->wanting_first;
}

bool lanes_wants(const struct lanes *l, const struct lane_record *record)
{
    const struct lane *lane = find(l, record);
    return lane != NULL && lane->is_loading && has_evicted(lane) && wanted_ticket(lane) == record->ticket;
}

static struct work_item *load_evicted(struct lanes *l, struct lane *lane, struct record *r)
{
    struct work_item *item = lane->evicted;
    item->record = r;
    lane->evicted = item->next;
    lane->evicted_count--;
    l->evicted_count--;
    lanes_count_in(l, lane, item);
    return item;
}

static struct work_item *load_deferred(struct lanes *l, struct lane *lane, struct record *r)
{
    struct work_item *item = work_item_new(lane->partition, lane->deferred.first, r);
    (void)ticket_queue_pop(&lane->deferred);
    l->deferred_count--;
    lanes_queue(l, lane, item);
    return item;
}

struct lanes_loaded lanes_load(struct lanes *l, const struct lane_record *which, struct record *r,
                               size_t loaded_max)
{
    struct lane *lane = find(l, which);
    INVARIANT(lane != NULL && has_evicted(lane) && wanted_ticket(lane) == which->ticket);
    struct lanes_loaded ret = {.is_new = lane->evicted == NULL};
    ret.item = ret.is_new ? load_deferred(l, lane, r) : load_evicted(l, lane, r);
    if (lane->state == LANE_WANTING) {
        lanes_enter(l, lane, LANE_READY);
    }
    lane->is_loading = has_evicted(lane) && lane->loaded_count < loaded_max;
    ret.wants_more = lane->is_loading;
    ret.ticket = lane->is_loading ? wanted_ticket(lane) : 0;
    return ret;
}

/** Removes the first event of a wanting lane, which has no record. NULL: it was a ticket alone. */
static struct work_item *remove_wanted(struct lanes *l, struct lane *lane)
{
    struct work_item *item = lane->evicted;
    if (item == NULL) {
        (void)ticket_queue_pop(&lane->deferred);
        l->deferred_count--;
        return NULL;
    }
    INVARIANT(item == lane->first);
    lane->first = lane->evicted = item->next;
    lane->last = item->next == NULL ? NULL : lane->last;
    lane->evicted_count--;
    l->evicted_count--;
    item->lane = NULL;
    return item;
}

bool lanes_take_gone(struct lanes *l, const struct partition *p, uint64_t from, uint64_t to,
                     uint64_t *ret_ticket, struct work_item **ret_item)
{
    for (struct lane *lane = l->wanting_first; lane != NULL; lane = lane->next) {
        uint64_t ticket = wanted_ticket(lane);
        if (lane->partition == p && ticket >= from && ticket < to) {
            *ret_ticket = ticket;
            *ret_item = remove_wanted(l, lane);
            lanes_settle_state(l, lane);
            return true;
        }
    }
    return false;
}

/** Moves the lane's items without records to the front of the list. */
static struct work_item *drop_evicted(struct lanes *l, struct lane *lane, struct work_item *dropped)
{
    struct work_item **at = &lane->first;
    struct work_item *last = NULL;
    while (*at != lane->evicted) {
        last = *at;
        at = &last->next;
    }
    struct work_item *item = *at;
    *at = NULL;
    lane->last = last;
    for (struct work_item *next; item != NULL; item = next) {
        next = item->next;
        item->lane = NULL;
        item->next = dropped;
        dropped = item;
    }
    l->evicted_count -= lane->evicted_count;
    lane->evicted_count = 0;
    lane->evicted = NULL;
    return dropped;
}

struct work_item *lanes_drop_evicted(struct lanes *l, const struct partition *p)
{
    struct work_item *dropped = NULL;
    for (size_t i = 0; i < l->table.bucket_count; i++) {
        for (struct lane *lane = l->table.buckets[i], *next; lane != NULL; lane = next) {
            next = lane->next_in_bucket;
            if (lane->partition != p || !has_evicted(lane)) {
                continue;
            }
            dropped = drop_evicted(l, lane, dropped);
            l->deferred_count -= lane->deferred.count;
            ticket_queue_clear(&lane->deferred);
            lane->is_loading = false;
            bool waits = lane->state == LANE_DELAYED || lane->state == LANE_PARKED;
            if (lane->state == LANE_WANTING || (waits && lane->first == NULL)) {
                lanes_settle_state(l, lane);
            }
        }
    }
    return dropped;
}
