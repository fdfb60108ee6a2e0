// Order: a partition's events queue in lanes, by key; a lane has one invocation at most, lanes run side by
// side.
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
    size_t waiting_count;  // events queued, ready or behind others
    size_t ready_count;    // events queued in ready lanes
    size_t ready_bytes;    // their values as on Kafka
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

/** Takes out all queued events of the partition, as a list; taken ones stay with their invocations. */
struct event *lanes_drop(struct lanes *l, const struct partition *p);

/** The event that has waited for longest in a ready lane; NULL when none is ready. */
const struct event *lanes_oldest(const struct lanes *l);

#endif
