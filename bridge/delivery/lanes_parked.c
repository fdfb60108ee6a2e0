#include "bridge/delivery/lanes_parked.h"

#include "bridge/delivery/lanes.h"

void lanes_park(struct work_item *item)
{
    item->is_parked = true;
    item->lane->is_closed = true;
}

bool lanes_is_closed(const struct work_item *item)
{
    return item->lane->is_closed;
}

void lanes_restored(struct lanes *l, struct work_item *item, bool is_parked, int64_t due_us)
{
    struct lane *lane = item->lane;
    item->is_parked = is_parked;
    if (lane->first == item && lane->state == LANE_READY && (is_parked || due_us != 0)) {
        lane->due_us = due_us;
        lanes_settle_state(l, lane);
    }
}

bool lanes_unpark(struct lanes *l, struct work_item *item)
{
    struct lane *lane = item->lane;
    if (lane == NULL || lane->state != LANE_PARKED || lane->first != item) {
        return false;
    }
    lanes_enter(l, lane, LANE_NEW);
    if (item->record != NULL) {
        lanes_count_out(l, lane, item);
    } else {
        lane->evicted = item->next;
        lane->evicted_count--;
        l->evicted_count--;
    }
    lane->first = item->next;
    lane->last = item->next == NULL ? NULL : lane->last;
    item->next = NULL;
    item->lane = NULL;
    lanes_settle_state(l, lane);
    return true;
}
