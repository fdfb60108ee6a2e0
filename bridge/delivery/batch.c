#include "bridge/delivery/batch.h"

/** Whether what waits in a lane makes a batch of its own; else in *ret_wait_us how long it may wait. */
static bool is_lane_due(const struct batch_limits *limits, const struct lane *lane, int64_t now_us,
                        int64_t *ret_wait_us)
{
    *ret_wait_us = lane->first->record->arrived_us + limits->window_us - now_us;
    return lane->loaded_count >= limits->events_max || lane->loaded_bytes >= limits->bytes_max ||
           work_item_was_tried(lane->first) || *ret_wait_us <= 0;
}

/** Finds a lane that is due and lets it be served next. */
static bool is_a_lane_due(const struct batch_limits *limits, struct lanes *lanes, int64_t now_us,
                          int64_t *ret_wait_us)
{
    for (struct lane *lane = lanes->ready_first; lane != NULL; lane = lane->next) {
        int64_t wait_us;
        if (is_lane_due(limits, lane, now_us, &wait_us)) {
            lanes_prefer(lanes, lane);
            return true;
        }
        *ret_wait_us = *ret_wait_us < 0 || wait_us < *ret_wait_us ? wait_us : *ret_wait_us;
    }
    return false;
}

bool batch_is_due(const struct batch_limits *limits, struct lanes *lanes, int64_t now_us,
                  int64_t *ret_wait_us)
{
    *ret_wait_us = -1;
    if (lanes->ready_lanes == 0) {
        return false;
    }
    if (limits->window_us == 0) {
        return true;
    }
    if (limits->by_key) {
        return is_a_lane_due(limits, lanes, now_us, ret_wait_us);
    }
    bool has_tried = lanes->fresh_count < lanes->ready_lanes;
    int64_t left_us = lanes_oldest_us(lanes) + limits->window_us - now_us;
    if (has_tried || left_us <= 0 || lanes->ready_count >= limits->events_max ||
        lanes->ready_bytes >= limits->bytes_max) {
        return true;
    }
    *ret_wait_us = left_us;
    return false;
}

static bool is_same_key(const struct work_item *a, const struct work_item *b)
{
    return a->partition == b->partition && a->record->has_key && b->record->has_key &&
           slice_equal(a->record->key, b->record->key);
}

/** Whether `next` may be in one call with `last`. */
static bool fits(const struct batch_limits *limits, const struct work_item *last,
                 const struct work_item *next)
{
    return next != NULL && next->retry.group == last->retry.group &&
           (!limits->by_key || is_same_key(last, next));
}

struct work_item *batch_next(const struct batch_limits *limits, struct lanes *lanes, size_t count,
                             const struct work_item *last)
{
    if (last == NULL) {
        return lanes_take(lanes);
    }
    size_t group_max = last->retry.group == 0 ? limits->events_max : last->retry.group_max;
    if (count >= group_max || count >= limits->events_max) {
        return NULL;
    }
    if (fits(limits, last, lanes_peek_more(last))) {
        return lanes_take_more(lanes, last);
    }
    return fits(limits, last, lanes_peek(lanes)) ? lanes_take(lanes) : NULL;
}
