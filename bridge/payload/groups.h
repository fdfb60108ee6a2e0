// The events of a body by topic and partition. They are written one after another, as they come; if the
// partitions took turns, the body is put in order at its end.
//
//   "orders-0":[A,B],"orders-1":[C,D]
#ifndef BRIDGE_PAYLOAD_GROUPS_H
#define BRIDGE_PAYLOAD_GROUPS_H

#include "core/base/bytes.h"

/** One partition. */
struct group {
    const char *topic;  // lent
    int32_t partition;
    size_t first_run;  // set by groups_close
    size_t last_run;
};

/** Events of one group that lie side by side in the body. */
struct group_run {
    size_t begin;
    size_t end;  // set when the next one begins
    size_t group;
    size_t next;  // of the same group; 0: none; set by groups_close
};

/** Zero-initialised is empty. */
struct groups {
    struct group *items;
    struct group_run *runs;
    size_t count;
    size_t capacity;
    size_t run_count;
    size_t run_capacity;
    bool is_mixed;  // a group has more than one run
};

/** Writes what stands before the next event: a comma, or the name of its partition.
 *
 * @param topic  lent until the groups are reset */
void groups_open(struct groups *g, struct bytes *body, const char *topic, int32_t partition);

/** A state of the groups to go back to. */
struct groups_mark {
    size_t count;
    size_t run_count;
    bool is_mixed;
};

struct groups_mark groups_mark(const struct groups *g);

/** Removes the groups and runs that came later. */
void groups_rewind(struct groups *g, struct groups_mark mark);

/**
 * Brings the events of each partition together, in the order in which they came. The size stays the same.
 *
 * @param spare  is exchanged with the body, if that had to be changed
 */
void groups_close(struct groups *g, struct bytes *body, struct bytes *spare);

void groups_reset(struct groups *g);
void groups_clear(struct groups *g);

#endif
