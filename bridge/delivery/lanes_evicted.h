// Lanes whose events wait without their records: eviction, and how the records come back.
#ifndef BRIDGE_DELIVERY_LANES_EVICTED_H
#define BRIDGE_DELIVERY_LANES_EVICTED_H

#include "bridge/delivery/lanes.h"

/** Appends the ticket to its lane if events without records wait there, and returns true; the order would be
 * broken otherwise. */
bool lanes_defer(struct lanes *l, const struct lane_record *record);

/** Which records lanes_evict evicts. */
struct lanes_eviction {
    size_t kept;               // of each busy or delayed lane, records of events that were never sent
    int64_t delayed_after_us;  // of lanes that are due later than this, records of events that were sent, too
    bool has_ready;            // of ready lanes whose first event was sent, all records
    void (*on_evicted)(void *self, struct record *r);  // takes over the reference
    void *self;
};

/** Evicts about `count` records, but none of a log that was replaced: they can't be read again. Returns how
 * many. */
size_t lanes_evict(struct lanes *l, const struct lanes_eviction *eviction, size_t count);

/** The partition and ticket of the next wanting lane that was not returned yet. False: none. */
bool lanes_next_wanted(struct lanes *l, struct partition **ret, uint64_t *ret_ticket);

/** Makes lanes_next_wanted return all wanting lanes again. */
void lanes_rewind_wanted(struct lanes *l);

/** Whether the lane wants this record next. */
bool lanes_wants(const struct lanes *l, const struct lane_record *record);

/** What becomes of a record that was read again. */
struct lanes_loaded {
    struct work_item *item;  // of the record
    bool is_new;             // it waited as a ticket alone
    bool wants_more;         // its lane wants the record of `ticket` next
    uint64_t ticket;
};

/** Gives a lane the record that it wants, with the reference. */
struct lanes_loaded lanes_load(struct lanes *l, const struct lane_record *which, struct record *r,
                               size_t loaded_max);

/**
 * Removes the first event of a wanting lane of the partition whose ticket is in [from, to). False: there is
 * none.
 *
 * @param ret_item  NULL: only the ticket waited
 */
bool lanes_take_gone(struct lanes *l, const struct partition *p, uint64_t from, uint64_t to,
                     uint64_t *ret_ticket, struct work_item **ret_item);

/** Removes the tickets and the events without records of the partition, whose log was replaced. Returns these
 * events as a list. */
struct work_item *lanes_drop_evicted(struct lanes *l, const struct partition *p);

#endif
