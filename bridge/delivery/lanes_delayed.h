// Lanes that wait for a time: a call of theirs failed and its events are sent again, or their latest event
// waits for its quiet time (lanes_latest.h).
#ifndef BRIDGE_DELIVERY_LANES_DELAYED_H
#define BRIDGE_DELIVERY_LANES_DELAYED_H

#include "bridge/delivery/lanes.h"

/**
 * Puts events of one call back to the heads of their lanes, to be sent again. Their lanes are not ready
 * before `due_us` (0: at once), and then in the order of these events.
 *
 * @param items  a list, in the order in which they were taken; of a lane, the other events of the call may be
 * settled before or after this
 */
void lanes_delay(struct lanes *l, struct work_item *items, int64_t due_us);

/**
 * Makes the lanes ready that are due. A lane whose first event's last attempt is not committed stays delayed
 * for a moment.
 *
 * @return  the partition of such an event: commit its attempts; NULL: there is none
 */
struct partition *lanes_wake(struct lanes *l, int64_t now_us);

/** When the first delayed lane is due; -1: none is delayed. */
int64_t lanes_next_due_us(const struct lanes *l);

/** When the lane of a queued event is due; 0: it is not delayed. */
int64_t lanes_due_us(const struct work_item *item);

/** Makes the lanes ready whose events wait for a retry, busy ones once their calls have ended. */
void lanes_retry_now(struct lanes *l);

#endif
