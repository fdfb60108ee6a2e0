#include "bridge/delivery/lanes_delayed.h"

int64_t lanes_due_us(const struct work_item *item)
{
    bool is_delayed = item->lane != NULL && item->lane->state == LANE_DELAYED;
    return is_delayed ? item->lane->delay.due_us : 0;
}

void lanes_delay(struct lanes *l, struct work_item *items, int64_t due_us)
{
    struct work_item *last_first = NULL;
    for (struct work_item *item = items, *next; item != NULL; item = next) {
        next = item->next;
        item->next = last_first;
        last_first = item;
    }
    struct lane *free_lanes = NULL;  // that no call holds any more, in the order of their first items
    for (struct work_item *item = last_first, *next; item != NULL; item = next) {
        next = item->next;
        struct lane *lane = item->lane;
        lanes_give_back(l, item);
        lane->due_us = due_us > lane->due_us ? due_us : lane->due_us;
        if (lane->taken == 0) {
            lane->next = free_lanes;
            free_lanes = lane;
        }
    }
    for (struct lane *lane = free_lanes, *next; lane != NULL; lane = next) {
        next = lane->next;
        lanes_settle_state(l, lane);
    }
}

enum { NOTED_AGAIN_US = 20 * 1000 };

struct partition *lanes_wake(struct lanes *l, int64_t now_us)
{
    struct partition *unnoted = NULL;
    struct due_entry *first;
    while ((first = due_heap_first(&l->delayed)) != NULL && first->due_us <= now_us) {
        struct lane *lane = CONTAINER_OF(first, struct lane, delay);
        if (lane->first != NULL && !work_item_is_noted(lane->first, now_us)) {
            unnoted = lane->partition;
            lane->due_us = now_us + NOTED_AGAIN_US;
        }
        lanes_settle_state(l, lane);
    }
    return unnoted;
}

void lanes_retry_now(struct lanes *l)
{
    (void)lanes_wake(l, INT64_MAX);
    for (size_t i = 0; i < l->table.bucket_count; i++) {
        for (struct lane *lane = l->table.buckets[i]; lane != NULL; lane = lane->next_in_bucket) {
            lane->due_us = 0;
        }
    }
}

int64_t lanes_next_due_us(const struct lanes *l)
{
    const struct due_entry *first = due_heap_first(&l->delayed);
    return first == NULL ? -1 : first->due_us;
}
