#include "bridge/delivery/lanes_latest.h"

/** Empties the queue of a lane that is in no list, or that a call holds. */
static void replace_all(struct lanes *l, struct lane *lane, const struct lanes_latest *latest)
{
    struct work_item *item = lane->first;
    lane->first = lane->last = lane->evicted = NULL;
    l->evicted_count -= lane->evicted_count;
    lane->evicted_count = 0;
    lane->is_loading = false;
    for (struct work_item *next; item != NULL; item = next) {
        next = item->next;
        item->next = NULL;
        if (item->record != NULL) {
            lanes_count_out(l, lane, item);
        }
        item->lane = NULL;
        latest->on_replaced(latest->self, lane->partition, item->ticket, item);
    }
    while (lane->deferred.count > 0) {
        uint64_t ticket = lane->deferred.first;
        (void)ticket_queue_pop(&lane->deferred);
        l->deferred_count--;
        latest->on_replaced(latest->self, lane->partition, ticket, NULL);
    }
}

/** Until when a retry of the first event that waits has to wait; 0: it waits for none. */
static int64_t retry_us_of(const struct lane *lane)
{
    if (lane->first == NULL || !work_item_was_tried(lane->first)) {
        return lane->retry_us;
    }
    return lane->state == LANE_DELAYED ? lane->delay.due_us : lane->due_us;
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void lanes_put_latest(struct lanes *l, struct work_item *item, const struct lanes_latest *latest)
{
    struct lane_key key = lanes_key_of(
        l, &(struct lane_record){item->partition, item->ticket, item->record->has_key, item->record->key});
    struct lane *lane = lane_table_find_or_make(&l->table, &key);
    bool is_first = lane->first == NULL && lane->deferred.count == 0;
    lane->since_us = is_first || lane->since_us == 0 ? latest->now_us : lane->since_us;
    lane->retry_us = later_of(retry_us_of(lane), latest->retry_us);
    struct lane *place = lane->state == LANE_READY ? lane->next : NULL;
    bool is_busy = lane->state == LANE_BUSY;
    if (!is_busy) {
        lanes_enter(l, lane, LANE_NEW);
    }
    replace_all(l, lane, latest);
    lanes_queue(l, lane, item);
    int64_t quiet_us = latest->now_us + latest->quiet_us;
    int64_t last_us = lane->since_us + latest->max_us;
    int64_t due_us = later_of(quiet_us < last_us ? quiet_us : last_us, lane->retry_us);
    lane->due_us = due_us > latest->now_us ? due_us : 0;
    if (!is_busy) {
        lanes_settle_state(l, lane);
        if (place != NULL && lane->state == LANE_READY) {
            lanes_place_before(l, lane, place);
        }
    }
}

bool lanes_has_later(const struct work_item *item)
{
    const struct lane *lane = item->lane;
    return lane != NULL && !lane->is_single && (lane->first != NULL || lane->deferred.count > 0);
}

void lanes_hold(const struct work_item *item, int64_t due_us)
{
    item->lane->due_us = later_of(item->lane->due_us, due_us);
    item->lane->retry_us = later_of(item->lane->retry_us, due_us);
}
