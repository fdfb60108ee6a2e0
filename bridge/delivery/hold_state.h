// Keys that wait for a dead letter to be settled (on_failure.hold_key); delivery_hold.c implements it.
#ifndef BRIDGE_DELIVERY_HOLD_STATE_H
#define BRIDGE_DELIVERY_HOLD_STATE_H

#include "bridge/delivery/lanes_parked.h"
#include "bridge/delivery/work_item.h"
#include "bridge/intake/letter_watch.h"

struct delivery;

/** Embedded in struct delivery. */
struct hold_state {
    size_t parked_count;         // events whose keys are held
    int64_t oldest_ms;           // while the status is written
    struct letter_watch *watch;  // NULL: no key was held yet
    int32_t *partitions;         // of the parked events' letters, while they are collected
    size_t partition_count;
    size_t elsewhere_count;  // parked events whose letters are in another topic than is configured
    bool is_elsewhere_logged;
    const struct letter_state *letters;  // while they are compared
};

/** Whether the lane of an event that can't be delivered is parked once its dead letter is stored. */
bool delivery_holds_key(const struct delivery *d, const struct work_item *item);

/** Parks the lane of an event whose dead letter is stored. */
void delivery_hold(struct delivery *d, struct work_item *item);

/** Releases the keys whose dead letters are settled. */
void delivery_tick_hold(struct delivery *d);

/** Appends members of the function's status: `,"parked_keys":…`. */
void delivery_status_hold(const struct delivery *d, struct bytes *out);

#endif
