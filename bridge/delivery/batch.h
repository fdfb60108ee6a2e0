// Batches: when one is due (by count, bytes and window), and which events it takes.
#ifndef BRIDGE_DELIVERY_BATCH_H
#define BRIDGE_DELIVERY_BATCH_H

#include "bridge/delivery/lanes.h"

struct batch_limits {
    size_t events_max;
    size_t bytes_max;
    int64_t window_us;  // how long the first event may wait for others
};

/**
 * Whether a batch of the ready lanes is due.
 *
 * @param ret_wait_us  on false: time until it is due; -1: nothing is ready
 */
bool batch_is_due(const struct batch_limits *limits, const struct lanes *lanes, int64_t now_us,
                  int64_t *ret_wait_us);

/** The next event for a batch of `count` events. The lane of `last` comes before other lanes, so that the
 * events of one key are adjacent and in order. NULL: the batch is full, or nothing is ready.
 */
struct event *batch_next(const struct batch_limits *limits, struct lanes *lanes, size_t count,
                         const struct event *last);

#endif
