// Batches: when one is due (by count, bytes and window), and which events it takes.
#ifndef BRIDGE_DELIVERY_BATCH_H
#define BRIDGE_DELIVERY_BATCH_H

#include "bridge/delivery/lanes.h"

struct batch_limits {
    size_t events_max;
    size_t bytes_max;
    int64_t window_us;  // how long the first event may wait for others
    bool by_key;        // of one key only
};

/**
 * Whether a batch of the ready lanes is due. Events that are sent again wait for no window. With by_key, a
 * lane is due by itself, and is then served next.
 *
 * @param ret_wait_us  on false: time until it is due; -1: nothing is ready
 */
bool batch_is_due(const struct batch_limits *limits, struct lanes *lanes, int64_t now_us,
                  int64_t *ret_wait_us);

/**
 * The next event for a batch of `count` events. The lane of `last` comes before other lanes, so that the
 * events of one key are adjacent and in order. Events of a batch that was bisected are sent in their groups,
 * apart from others.
 *
 * @param last  the event that was added before; NULL: none
 * @return      NULL: the batch is full, or nothing fits to it
 */
struct work_item *batch_next(const struct batch_limits *limits, struct lanes *lanes, size_t count,
                             const struct work_item *last);

#endif
