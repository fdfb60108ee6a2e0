// Notices that the process stood still (stopped, swapped out, a laptop's sleep) for so long that its group
// may have given its partitions to others: then no call may begin before the coordinator has answered a
// commit.
#ifndef BRIDGE_INTAKE_STANDSTILL_H
#define BRIDGE_INTAKE_STANDSTILL_H

#include <stdbool.h>
#include <stdint.h>

enum standstill_state {
    STANDSTILL_NONE,
    STANDSTILL_DOUBTFUL,  // a commit has to be sent
    STANDSTILL_ASKED,     // one is under way
};

/** Plain data, embedded. */
struct standstill {
    int64_t limit_us;  // a heartbeat was sent at most session.timeout.ms - this before
    int64_t seen_us;   // when the loop turned last
    enum standstill_state state;
};

/** @param session_ms, heartbeat_ms  the consumer's `session.timeout.ms` and `heartbeat.interval.ms` */
void standstill_init(struct standstill *s, int64_t session_ms, int64_t heartbeat_ms, int64_t now_us);

/** The loop turns, more often than twice in the limit. Whether calls may begin. */
bool standstill_check(struct standstill *s, int64_t now_us);

/** A commit was sent after the last check. */
void standstill_asked(struct standstill *s);

/** That commit was answered: by the coordinator of our generation, or not. */
void standstill_answered(struct standstill *s, bool is_member);

/** The group has given us partitions: it knows us. */
void standstill_over(struct standstill *s);

#endif
