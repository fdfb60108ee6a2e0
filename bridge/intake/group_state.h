// The states of a group member, and which may follow which.
#ifndef BRIDGE_INTAKE_GROUP_STATE_H
#define BRIDGE_INTAKE_GROUP_STATE_H

#include <stdbool.h>

// clang-format off
#define GROUP_STATES(X) \
    X(JOINING)       /* no assignment came yet */ \
    X(LOOKING_UP)    /* an assignment came: a worker thread looks up its offsets */ \
    X(LOOKUP_FAILED) /* Kafka did not say: looked up again after a pause */ \
    X(MEMBER)        /* the assigned partitions are read */ \
    X(UNSUBSCRIBING) /* closing: the revocation of all partitions follows */ \
    X(DROPPING)      /* partitions were revoked or lost: inside on_revoked */ \
    X(REVOKING)      /* running calls of the revoked partitions end */ \
    X(COMMITTING)    /* the last commit of the revoked partitions is in flight */ \
    X(LEAVING)       /* a worker thread closes the client */
// clang-format on

enum group_state {
#define X(name) GROUP_##name,
    GROUP_STATES(X)
#undef X
};

/** Sets *state. Aborts the process if `to` may not follow. */
void group_state_enter(enum group_state *state, enum group_state to);

/** Whether consumer->revoked is in use. */
static inline bool group_state_is_revoking(enum group_state state)
{
    return state == GROUP_DROPPING || state == GROUP_REVOKING || state == GROUP_COMMITTING;
}

#endif
