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
//   delayed  its last call failed: it is not due yet (lanes_delayed.h)
//   wanting  nothing in flight; the record of its first event must be read again (lanes_evicted.h)
//   parked   its first event is never sent again: the others wait until it is removed (lanes_parked.h)
#ifndef BRIDGE_DELIVERY_LANES_H
#define BRIDGE_DELIVERY_LANES_H

#include "bridge/config/function_config.h"
#include "bridge/delivery/lane_table.h"

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
    size_t evicted_count;   // queued events without a record: sent, or before one that was sent
    size_t loaded_count;    // queued events with a record
    size_t ready_count;     // of these, the ones in ready lanes
    size_t ready_bytes;     // their values as on Kafka
    size_t ready_lanes;     // ready lanes
    size_t fresh_count;     // of these, the ones whose first event was never sent
    int64_t oldest_us;      // when the oldest first event of a ready lane arrived; 0: not known
};

void lanes_init(struct lanes *l, enum function_order order);

/** The lanes are empty. */
void lanes_clear(struct lanes *l);

/**
 * Queues an event with its record behind the others of its key. Events without a key are not ordered.
 *
 * @param due_us  the event was sent before a restart: a lane that it is alone in is delayed until then; 0: it
 * is not
 */
void lanes_put(struct lanes *l, struct work_item *item, int64_t due_us);

/** Takes the first event of the first ready lane; the lane becomes busy. NULL: none is ready. */
struct work_item *lanes_take(struct lanes *l);

/** Serves a ready lane next whose first event was never sent, if there is one. */
void lanes_prefer_fresh(struct lanes *l);

/** Takes the next event of the lane of `item`, for the same call. NULL: it has no more. */
struct work_item *lanes_take_more(struct lanes *l, const struct work_item *item);

/** The events that lanes_take and lanes_take_more would take; NULL: none. */
const struct work_item *lanes_peek(const struct lanes *l);
const struct work_item *lanes_peek_more(const struct work_item *item);

/** When the oldest of the first events of ready lanes was read; INT64_MAX: no lane is ready. */
int64_t lanes_oldest_us(struct lanes *l);

/** The ready lane is served next. */
void lanes_prefer(struct lanes *l, struct lane *lane);

/** Puts the event that was taken last from its lane back to the head, not sent; the lane is served first. */
void lanes_put_back(struct lanes *l, struct work_item *item);

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

/** How many events wait in the lane, with and without records. */
size_t lanes_depth(const struct lanes *l, const struct lane_record *record);

// For the other lanes_*.c files:

/** The lane that a record belongs to. The key is borrowed from the record. */
struct lane_key lanes_key_of(const struct lanes *l, const struct lane_record *record);

/** The only place where a lane changes its state. */
void lanes_enter(struct lanes *l, struct lane *lane, enum lane_state state);

/** Sets the state of a lane that no call holds, from what waits in it; frees an empty lane. */
void lanes_settle_state(struct lanes *l, struct lane *lane);

/** Makes a taken item, with its record, the first of its lane again. */
void lanes_give_back(struct lanes *l, struct work_item *item);

/** Queues an item with a record as the last one. */
void lanes_queue(struct lanes *l, struct lane *lane, struct work_item *item);

/** Moves a ready lane before another one in the list. */
void lanes_place_before(struct lanes *l, struct lane *lane, struct lane *next);

/** Counts an item's record that enters or leaves the queue. */
void lanes_count_in(struct lanes *l, struct lane *lane, const struct work_item *item);
void lanes_count_out(struct lanes *l, struct lane *lane, const struct work_item *item);

#endif
