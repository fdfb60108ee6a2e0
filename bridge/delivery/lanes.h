// Order: a partition's events queue in lanes, by key; a lane has one invocation at most, lanes run side by
// side.
//
// A lane whose head is slow or fails must not fill the function's memory: its events can wait as tickets
// alone, their records thrown away. They are read again when the lane comes to them.
//
//   ready    an event is queued, nothing in flight
//   busy     an invocation holds events of it
//   wanting  nothing queued or in flight, but tickets: the first one's record is to be read again
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
    struct lane *ready_first;  // lanes with a waiting event and nothing in flight, longest waiting first
    struct lane *ready_last;
    struct lane *wanting_first;  // in the order in which they came to want
    struct lane *wanting_last;
    struct lane *unasked;   // the first of them whose record was not asked for yet
    size_t deferred_count;  // events that wait as tickets alone
    size_t waiting_count;   // events queued, ready or behind others
    size_t ready_count;     // events queued in ready lanes
    size_t ready_bytes;     // their values as on Kafka
};

void lanes_init(struct lanes *l, enum function_order order);

/** The lanes are empty. */
void lanes_clear(struct lanes *l);

/** Queues the event behind the others of its key. An absent key has no order to keep. */
void lanes_put(struct lanes *l, struct event *e);

/** The first event of the lane that is ready for longest, and holds the lane; NULL when none is ready. */
struct event *lanes_take(struct lanes *l);

/** The next event of the lane that `e` was taken from, for the same invocation; NULL when it has no more. */
struct event *lanes_take_more(struct lanes *l, const struct event *e);

/** Puts the event that was taken last from its lane back to its front. */
void lanes_put_back(struct lanes *l, struct event *e);

/** A taken event is settled: once all that were taken from its lane are, the lane's next becomes ready. */
void lanes_release(struct lanes *l, struct event *e);

/** Takes out all queued events of the partition, as a list, and drops its tickets; taken events stay with
 * their invocations. */
struct event *lanes_drop(struct lanes *l, const struct partition *p);

/** The event that has waited for longest in a ready lane; NULL when none is ready. */
const struct event *lanes_oldest(const struct lanes *l);

/** Which lane a record belongs to. */
struct lane_key {
    struct partition *partition;
    bool has_key;
    struct slice key;
};

/** When events of the record's lane wait as tickets, the next one must too: notes it and returns true. */
bool lanes_defer(struct lanes *l, const struct lane_key *key, uint64_t ticket);

/** How many events wait in the record's lane, with and without records. */
size_t lanes_depth(const struct lanes *l, const struct lane_key *key);

/** Leaves at most `keep` events queued in each busy lane, and tickets of the others, which are returned as a
 * list. */
struct event *lanes_evict(struct lanes *l, size_t keep);

/** The next wanting lane whose record was not asked for yet: its partition and ticket. False: none. */
bool lanes_next_wanted(struct lanes *l, struct partition **ret, uint64_t *ret_ticket);

/** All wanting lanes are to be asked for again. */
void lanes_ask_again(struct lanes *l);

/** Whether the record is the one that its lane wants next. */
bool lanes_wants(const struct lanes *l, const struct lane_key *key, uint64_t ticket);

/** Queues an event that its lane wants. Returns whether it wants the next one too, and which. */
bool lanes_load(struct lanes *l, struct event *e, size_t queue_max, uint64_t *ret_ticket);

/** Takes out the first ticket of any wanting lane of the partition from `from` to before `to`; false: none.
 */
bool lanes_take_gone(struct lanes *l, const struct partition *p, uint64_t from, uint64_t to,
                     uint64_t *ret_ticket);

/** The partition's log is another one: its tickets name nothing any more. */
void lanes_drop_tickets(struct lanes *l, const struct partition *p);

#endif
