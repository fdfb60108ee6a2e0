// Batches: when one is due, by count, bytes and window.
#ifndef BRIDGE_DELIVERY_BATCH_H
#define BRIDGE_DELIVERY_BATCH_H

#include "bridge/delivery/lanes.h"

struct batch_limits {
    size_t events_max;
    size_t bytes_max;
    int64_t window_us;  // how long the first event may wait for others
};

/**
 * Whether the ready lanes hold a batch that should go now.
 *
 * @param ret_wait_us  on false: when to ask again; -1: when something new is ready
 */
bool batch_is_due(const struct batch_limits *limits, const struct lanes *lanes, int64_t now_us,
                  int64_t *ret_wait_us);

/**
 * The next event for a batch that holds `count` already: more of the lane of `last` before another lane, so
 * that one key's events stand together in their order. NULL when the batch is full or nothing is ready.
 */
struct event *batch_next(const struct batch_limits *limits, struct lanes *lanes, size_t count,
                         const struct event *last);

#endif
