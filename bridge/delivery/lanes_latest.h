// Coalescing: of the events of a key only the latest is sent, once the key has been quiet for a while.
#ifndef BRIDGE_DELIVERY_LANES_LATEST_H
#define BRIDGE_DELIVERY_LANES_LATEST_H

#include "bridge/delivery/lanes.h"

struct lanes_latest {
    int64_t quiet_us;  // the event is due after this time without another one
    int64_t max_us;    // but not later than this after the first one that waits
    int64_t now_us;
    int64_t retry_us;  // the event was sent before a restart: not due before; 0: it was not
    /** An event is replaced: `item` is out of the lanes; NULL: only its ticket waited. */
    void (*on_replaced)(void *self, struct partition *p, uint64_t ticket, struct work_item *item);
    void *self;
};

/**
 * Queues an event with its key in place of those that wait in its lane. An event that a call holds stays.
 * When a replaced one waited for a retry, the new one is not due before it.
 */
void lanes_put_latest(struct lanes *l, struct work_item *item, const struct lanes_latest *latest);

/** Whether a later event of its key waits behind a taken event. */
bool lanes_has_later(const struct work_item *item);

/** The lane of a taken event is not due before `due_us`. */
void lanes_hold(const struct work_item *item, int64_t due_us);

#endif
