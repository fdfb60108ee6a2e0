// The states of a group member, and which may follow which.
#ifndef BRIDGE_INTAKE_GROUP_STATE_H
#define BRIDGE_INTAKE_GROUP_STATE_H

#include <stdbool.h>

// clang-format off
#define GROUP_STATES(X) \
    X(JOINING)       /* there was no assignment yet */ \
    X(LOOKING_UP)    /* an assignment came: where to begin is asked for on a worker thread */ \
    X(ASKING_AGAIN)  /* that can't be said now: asked again after a pause */ \
    X(MEMBER)        /* what is assigned is read */ \
    X(UNSUBSCRIBING) /* closing: all partitions are to be revoked */ \
    X(DROPPING)      /* partitions are revoked or lost, and the listener is being told */ \
    X(REVOKING)      /* what runs of the revoked partitions ends */ \
    X(COMMITTING)    /* their last commit is under way */ \
    X(LEAVING)       /* the client is closed on a worker thread */
// clang-format on

enum group_state {
#define X(name) GROUP_##name,
    GROUP_STATES(X)
#undef X
};

const char *group_state_name(enum group_state state);

/** Moves *state on; stops the process when `to` may not follow. */
void group_state_enter(enum group_state *state, enum group_state to);

/** Partitions are being given back: their list is in use. */
static inline bool group_state_is_revoking(enum group_state state)
{
    return state == GROUP_DROPPING || state == GROUP_REVOKING || state == GROUP_COMMITTING;
}

#endif
