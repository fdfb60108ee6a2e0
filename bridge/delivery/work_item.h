// One event of a function from arrival to settlement: its offset, its attempts and, unless it was evicted,
// its record.
#ifndef BRIDGE_DELIVERY_WORK_ITEM_H
#define BRIDGE_DELIVERY_WORK_ITEM_H

#include "bridge/intake/partition.h"
#include "bridge/intake/record.h"

struct lane;

/** What failed calls leave behind. Zero-initialised: the event was never sent. */
struct retry_state {
    int64_t first_attempt_us;  // monotonic; 0: never sent
    uint32_t attempts;         // used up
    uint32_t throttles;        // in a row
    bool has_failed;           // its last call failed
    // A batch that was rejected is bisected: events of one group are sent together, and with no others.
    uint32_t group_max;  // the most events in one call
    uint64_t group;      // 0: none
};

struct work_item {
    struct work_item *next;       // in its lane, its invocation, or a list of released items
    struct partition *partition;  // counted in partition->item_count
    struct lane *lane;            // NULL outside the lanes
    uint64_t ticket;              // of the partition's progress
    struct record *record;        // NULL: evicted; it is read again
    struct retry_state retry;
    struct work_item *next_failing;  // in partition->failing, while retry.has_failed
    struct work_item *previous_failing;
};

/** Takes over the reference to the record. */
struct work_item *work_item_new(struct partition *p, uint64_t ticket, struct record *r);

/** Sets retry.has_failed and lists it. */
void work_item_fail(struct work_item *item);

/** Accepts NULL. */
void work_item_free(struct work_item *item);

/** Whether it was sent before, so that its retry state must be kept. */
static inline bool work_item_was_tried(const struct work_item *item)
{
    return item->retry.first_attempt_us != 0;
}

#endif
