// Order: a partition's events queue in lanes, by key. A lane has at most one call in flight; lanes run
// concurrently.
//
// A lane keeps what a failed call leaves behind (work_item.h): the lane is delayed, its followers wait behind
// it, and every other lane goes on. Its events must not fill the function's memory: their records can be
// evicted. An event that was never sent then waits as a ticket alone, one that was sent keeps its retry
// state. The records are read again when the lane gets to them.
//
//   ready    an event with its record is first, nothing in flight
//   busy     a call holds events of it
//   delayed  its last call failed: it is not due yet
//   wanting  nothing in flight; the record of its first event must be read again
#ifndef BRIDGE_DELIVERY_LANES_H
#define BRIDGE_DELIVERY_LANES_H

#include "bridge/config/function_config.h"
#include "bridge/delivery/work_item.h"
#include "core/base/due_heap.h"

/** Lanes by partition and key. */
struct lane_table {
    struct lane **buckets;  // a power of two
    size_t bucket_count;
    size_t lane_count;
};

/** Plain data, embedded. */
struct lanes {
    enum function_order order;
    struct lane_table table;
    struct lane *ready_first;  // ready lanes, in the order in which they are served
    struct lane *ready_last;
    struct lane *wanting_first;  // wanting lanes, in the order in which they became so
    struct lane *wanting_last;
    struct lane *next_wanted;  // the first of them that lanes_next_wanted has not returned yet
    struct due_heap delayed;
    size_t deferred_count;  // events that wait as tickets alone
    size_t evicted_count;   // queued events that were sent and have no record
    size_t loaded_count;    // queued events with a record
    size_t ready_count;     // of these, the ones in ready lanes
    size_t ready_bytes;     // their values as on Kafka
    size_t fresh_count;     // ready lanes whose first event was never sent
};

void lanes_init(struct lanes *l, enum function_order order);

/** The lanes are empty. */
void lanes_clear(struct lanes *l);

/** Queues an event with its record behind the others of its key. Events without a key are not ordered. */
void lanes_put(struct lanes *l, struct work_item *item);

/** Takes the first event of the first ready lane; the lane becomes busy. NULL: none is ready. */
struct work_item *lanes_take(struct lanes *l);

/** Takes the next event of the lane of `item`, for the same call. NULL: it has no more. */
struct work_item *lanes_take_more(struct lanes *l, const struct work_item *item);

/** The events that lanes_take and lanes_take_more would take; NULL: none. */
const struct work_item *lanes_peek(const struct lanes *l);
const struct work_item *lanes_peek_more(const struct work_item *item);

/** Puts the event that was taken last from its lane back to the head, not sent; the lane is served first. */
void lanes_put_back(struct lanes *l, struct work_item *item);

/**
 * Puts events of one call back to the heads of their lanes, to be sent again. Their lanes are not ready
 * before `due_us` (0: at once), and then in the order of these events.
 *
 * @param items  a list, in the order in which they were taken; of a lane, the other events of the call may be
 * settled before or after this
 */
void lanes_delay(struct lanes *l, struct work_item *items, int64_t due_us);

/** Makes the lanes ready that are due. */
void lanes_wake(struct lanes *l, int64_t now_us);

/** When the first delayed lane is due; -1: none is delayed. */
int64_t lanes_next_due_us(const struct lanes *l);

/** A taken event is settled or released. The lane is busy until this was called for all its taken events. */
void lanes_release(struct lanes *l, struct work_item *item);

/** Removes the queued events of the partition, returned as a list, and its tickets. Taken events stay taken.
 */
struct work_item *lanes_drop(struct lanes *l, const struct partition *p);

/** A record that was read. */
struct lane_record {
    struct partition *partition;
    uint64_t ticket;
    bool has_key;
    struct slice key;
};

/** Appends the ticket to its lane if events without records wait there, and returns true; the order would be
 * broken otherwise. */
bool lanes_defer(struct lanes *l, const struct lane_record *record);

/** How many events wait in the lane, with and without records. */
size_t lanes_depth(const struct lanes *l, const struct lane_record *record);

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

/**
 * Gives a lane the record that it wants, with the reference.
 *
 * @return  true: it wants the record of *ret_ticket next
 */
bool lanes_load(struct lanes *l, const struct lane_record *which, struct record *r, size_t loaded_max,
                uint64_t *ret_ticket);

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
