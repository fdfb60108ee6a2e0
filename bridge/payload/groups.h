// The events of a body by topic and partition, and in a partition by offset. They are written one after
// another, as they come; if that is another order, the body is put in order at its end.
//
//   "orders-0":[A,B],"orders-1":[C,D]
#ifndef BRIDGE_PAYLOAD_GROUPS_H
#define BRIDGE_PAYLOAD_GROUPS_H

#include "core/base/bytes.h"

/** One partition. */
struct group {
    const char *topic;  // lent
    int32_t partition;
    size_t begin;  // of its name in the body
    size_t end;
};

struct group_event {
    size_t begin;
    size_t end;  // set when the next one begins
    size_t group;
    int64_t offset;
};

/** Zero-initialised is empty. */
struct groups {
    struct group *items;
    struct group_event *events;
    size_t count;
    size_t capacity;
    size_t event_count;
    size_t event_capacity;
    bool is_mixed;  // the events are not in order
};

/** Writes what stands before the next event: a comma, or the name of its partition.
 *
 * @param topic  lent until the groups are reset */
void groups_open(struct groups *g, struct bytes *body, const char *topic, int32_t partition, int64_t offset);

/** A state of the groups to go back to. */
struct groups_mark {
    size_t count;
    size_t event_count;
    bool is_mixed;
};

struct groups_mark groups_mark(const struct groups *g);

/** Removes the groups and events that came later. */
void groups_rewind(struct groups *g, struct groups_mark mark);

/**
 * Brings the events of each partition together, in the order of their offsets. The size stays the same.
 * Called once, after the last event.
 *
 * @param spare  is exchanged with the body, if that had to be changed
 */
void groups_close(struct groups *g, struct bytes *body, struct bytes *spare);

void groups_reset(struct groups *g);
void groups_clear(struct groups *g);

#endif
