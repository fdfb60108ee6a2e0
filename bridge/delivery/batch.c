#include "bridge/delivery/batch.h"

bool batch_is_due(const struct batch_limits *limits, const struct lanes *lanes, int64_t now_us,
                  int64_t *ret_wait_us)
{
    const struct event *oldest = lanes_oldest(lanes);
    *ret_wait_us = -1;
    if (oldest == NULL) {
        return false;
    }
    if (limits->window_us == 0 || lanes->ready_count >= limits->events_max ||
        lanes->ready_bytes >= limits->bytes_max) {
        return true;
    }
    int64_t left_us = oldest->arrived_us + limits->window_us - now_us;
    if (left_us <= 0) {
        return true;
    }
    *ret_wait_us = left_us;
    return false;
}

struct event *batch_next(const struct batch_limits *limits, struct lanes *lanes, size_t count,
                         const struct event *last)
{
    if (count >= limits->events_max) {
        return NULL;
    }
    struct event *e = last == NULL ? NULL : lanes_take_more(lanes, last);
    return e == NULL ? lanes_take(lanes) : e;
}
