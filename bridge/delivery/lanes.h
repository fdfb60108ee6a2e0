// Order: a partition's events queue in lanes, by key. A lane has at most one invocation in flight; lanes run
// concurrently.
//
// A lane whose head is slow or fails must not fill the function's memory: its events can be evicted, so that
// only their tickets wait. Their records are read again when the lane gets to them.
//
//   ready    an event is queued, nothing in flight
//   busy     an invocation holds events of it
//   wanting  no event queued or in flight, only tickets: the record of the first one must be read again
#ifndef BRIDGE_DELIVERY_LANES_H
#define BRIDGE_DELIVERY_LANES_H

#include "bridge/config/function_config.h"
#include "bridge/intake/event.h"

struct lane;

/** Plain data, embedded. */
struct lanes {
    enum function_order order;
    struct lane **buckets;  // of the keyed lanes; a power of two
    size_t bucket_count;
    size_t lane_count;
    struct lane *ready_first;  // ready lanes, in the order in which they became ready
    struct lane *ready_last;
    struct lane *wanting_first;  // wanting lanes, in the order in which they became so
    struct lane *wanting_last;
    struct lane *next_wanted;  // the first of them that lanes_next_wanted has not returned yet
    size_t deferred_count;     // events that wait as tickets alone
    size_t waiting_count;      // events queued in all lanes
    size_t ready_count;        // events queued in ready lanes
    size_t ready_bytes;        // their values as on Kafka
};

void lanes_init(struct lanes *l, enum function_order order);

/** The lanes are empty. */
void lanes_clear(struct lanes *l);

/** Queues the event behind the others of its key. Events without a key are not ordered. */
void lanes_put(struct lanes *l, struct event *e);

/** Takes the first event of the lane that has been ready longest; the lane becomes busy. NULL: none is ready.
 */
struct event *lanes_take(struct lanes *l);

/** Takes the next event of the lane of `e`, for the same invocation. NULL: it has no more. */
struct event *lanes_take_more(struct lanes *l, const struct event *e);

/** Puts the event that was taken last from its lane back to the head. */
void lanes_put_back(struct lanes *l, struct event *e);

/** A taken event is settled or released. The lane is busy until this was called for all its taken events. */
void lanes_release(struct lanes *l, struct event *e);

/** Removes the queued events of the partition, returned as a list, and its tickets. Taken events stay taken.
 */
struct event *lanes_drop(struct lanes *l, const struct partition *p);

/** The event that lanes_take would take; NULL: none is ready. */
const struct event *lanes_oldest(const struct lanes *l);

/** Identifies the lane of a record. */
struct lane_key {
    struct partition *partition;
    bool has_key;
    struct slice key;
};

/** Appends the ticket to its lane if tickets wait there, and returns true; the order would be broken
 * otherwise. */
bool lanes_defer(struct lanes *l, const struct lane_key *key, uint64_t ticket);

/** How many events wait in the lane, as records and as tickets. */
size_t lanes_depth(const struct lanes *l, const struct lane_key *key);

/** Leaves at most `keep` events queued in each busy lane (and those of a log that is gone) and turns the
 * others into tickets; returns these events as a list. */
struct event *lanes_evict(struct lanes *l, size_t keep);

/** The partition and ticket of the next wanting lane that was not returned yet. False: none. */
bool lanes_next_wanted(struct lanes *l, struct partition **ret, uint64_t *ret_ticket);

/** Makes lanes_next_wanted return all wanting lanes again. */
void lanes_rewind_wanted(struct lanes *l);

/** Whether the lane wants this record next. */
bool lanes_wants(const struct lanes *l, const struct lane_key *key, uint64_t ticket);

/** Queues an event that its lane wants. True: it wants the record of *ret_ticket next. */
bool lanes_load(struct lanes *l, struct event *e, size_t queue_max, uint64_t *ret_ticket);

/** Removes the first ticket of a wanting lane of the partition that is in [from, to). False: there is none.
 */
bool lanes_take_gone(struct lanes *l, const struct partition *p, uint64_t from, uint64_t to,
                     uint64_t *ret_ticket);

/** Drops all tickets of the partition, whose log was replaced. */
void lanes_drop_tickets(struct lanes *l, const struct partition *p);

#endif
