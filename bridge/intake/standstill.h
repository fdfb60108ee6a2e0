// Detects that the process stood still (stopped, swapped out, machine suspended) for so long that its group
// may have expelled it. Then no call may begin before the coordinator has accepted a commit.
#ifndef BRIDGE_INTAKE_STANDSTILL_H
#define BRIDGE_INTAKE_STANDSTILL_H

#include "core/base/pulse.h"

enum standstill_state {
    STANDSTILL_NONE,
    STANDSTILL_DOUBTFUL,  // a commit must be sent
    STANDSTILL_ASKED,     // the commit is in flight
};

/** Plain data, embedded. */
struct standstill {
    struct pulse pulse;  // its limit: the last heartbeat was at most session.timeout.ms - limit old before
    enum standstill_state state;
};

/** @param session_ms, heartbeat_ms  the consumer's `session.timeout.ms` and `heartbeat.interval.ms` */
void standstill_init(struct standstill *s, int64_t session_ms, int64_t heartbeat_ms, int64_t now_us);

/** Whether calls may begin. Call it at least twice within the limit, so that only a standstill exceeds it. */
bool standstill_check(struct standstill *s, int64_t now_us);

/** A commit was sent after the last check. */
void standstill_asked(struct standstill *s);

/** That commit was answered. `is_member`: the coordinator accepted it. */
void standstill_answered(struct standstill *s, bool is_member);

#endif
