// The state of librdkafka's consumer in joining its group, read from librdkafka's log. No function or event
// gives it: when a heartbeat's response announces a rebalance, the consumer rejoins, and the application is
// told only when partitions are assigned. But librdkafka's main thread logs each state before it acts on it
// (facility CGRPJOINSTATE of debug=cgrp, with the same text from 2.0.2 to 2.15).
#ifndef BRIDGE_INTAKE_JOIN_WATCH_H
#define BRIDGE_INTAKE_JOIN_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/kafka/kafka_client.h"

// clang-format off
#define JOIN_STATES(X) \
    X(UNKNOWN,              "")                   /* nothing logged yet, or an unknown state */ \
    X(INIT,                 "init")               /* JoinGroup comes next */ \
    X(WAIT_JOIN,            "wait-join")          /* JoinGroup was sent */ \
    X(WAIT_METADATA,        "wait-metadata")      /* the group's leader prepares the assignment */ \
    X(WAIT_SYNC,            "wait-sync")          /* SyncGroup was sent */ \
    X(WAIT_ASSIGN_CALL,     "wait-assign-call")   /* a member; the consumer is to assign partitions */ \
    X(WAIT_UNASSIGN_CALL,   "wait-unassign-call") /* a member; the consumer is to give partitions back */ \
    X(WAIT_UNASSIGNED,      "wait-unassign-to-complete")      /* given back; INIT may follow at once */ \
    X(WAIT_INCR_UNASSIGNED, "wait-incr-unassign-to-complete") /* the same */ \
    X(STEADY,               "steady")             /* a member */
// clang-format on

enum join_state {
#define X(name, text) JOIN_##name,
    JOIN_STATES(X)
#undef X
};

/** Plain data, embedded; outlives the client. */
struct join_watch {
    struct kafka_log_reader reader;
    _Atomic(enum join_state) state;  // written by librdkafka's main thread
};

/** To be given to kafka_client_read_log with JOIN_WATCH_DEBUG. */
void join_watch_init(struct join_watch *w);
#define JOIN_WATCH_DEBUG "cgrp"

/**
 * Whether a commit that is sent now is accepted. The broker answers a JoinGroup only when all members have
 * joined, and until then handles no later request of the connection: a commit behind a JoinGroup arrives with
 * an old generation, and when that is refused librdkafka drops the whole assignment as lost. A commit ahead
 * of it is accepted. Not covered: librdkafka handles a heartbeat's response between this call and the commit.
 */
bool join_watch_can_commit(const struct join_watch *w);

#endif
