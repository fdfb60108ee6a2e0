#include "bridge/delivery/batch.h"

bool batch_is_due(const struct batch_limits *limits, const struct lanes *lanes, int64_t now_us,
                  int64_t *ret_wait_us)
{
    const struct work_item *oldest = lanes_peek(lanes);
    *ret_wait_us = -1;
    if (oldest == NULL) {
        return false;
    }
    if (limits->window_us == 0 || work_item_was_tried(oldest) || lanes->ready_count >= limits->events_max ||
        lanes->ready_bytes >= limits->bytes_max) {
        return true;
    }
    int64_t left_us = oldest->record->arrived_us + limits->window_us - now_us;
    if (left_us <= 0) {
        return true;
    }
    *ret_wait_us = left_us;
    return false;
}

struct work_item *batch_next(const struct batch_limits *limits, struct lanes *lanes, size_t count,
                             const struct work_item *last)
{
    if (last == NULL) {
        return lanes_take(lanes);
    }
    uint64_t group = last->retry.group;
    size_t group_max = group == 0 ? limits->events_max : last->retry.group_max;
    if (count >= group_max || count >= limits->events_max) {
        return NULL;
    }
    const struct work_item *more = lanes_peek_more(last);
    if (more != NULL && more->retry.group == group) {
        return lanes_take_more(lanes, last);
    }
    const struct work_item *other = lanes_peek(lanes);
    return other != NULL && other->retry.group == group ? lanes_take(lanes) : NULL;
}

void batch_bisect(struct work_item *items, size_t count, uint64_t number)
{
    size_t half = (count + 1) / 2;
    size_t at = 0;
    for (struct work_item *item = items; item != NULL; item = item->next, at++) {
        item->retry.group = 2 * number + (at < half ? 0 : 1);
        item->retry.group_max = (uint32_t)half;
    }
}
