// The connector's state, the state that is shown, and the last error.
#ifndef CONNECTORS_PIPELINE_STATE_H
#define CONNECTORS_PIPELINE_STATE_H

#include "core/base/last_error.h"
#include "core/metrics.h"

#define PIPELINE_STATES(X)                                                                                   \
    X(STARTING, "starting")                                                                                  \
    X(CONNECTING, "connecting")                                                                              \
    X(WAITING_FOR_SLOT, "waiting_for_slot")                                                                  \
    X(SNAPSHOTTING, "snapshotting")                                                                          \
    X(STREAMING, "streaming")                                                                                \
    X(BACKING_OFF, "backing_off")                                                                            \
    X(DRAINING, "draining")                                                                                  \
    X(STOPPED, "stopped")                                                                                    \
    X(FAILED, "failed")

enum pipeline_state_name {
#define X(name, text) PIPELINE_##name,
    PIPELINE_STATES(X)
#undef X
};

enum pipeline_kafka {
    PIPELINE_KAFKA_FINE,
    PIPELINE_KAFKA_OVERDUE,  // it answers, but has not taken a record, a topic or a schema for long
    PIPELINE_KAFKA_LOST,     // it does not answer
};

/** Plain data, embedded; zero-initialised but for the first two. */
struct pipeline_state {
    const char *component;  // lent: for the log
    struct metric *metric;  // lent
    enum pipeline_state_name now;
    enum pipeline_state_name shown;  // BACKING_OFF while Kafka is not FINE; else equal to `now`
    enum pipeline_kafka kafka;
    char detail[480];
    struct last_error error;
};

/** Sets `now`; logs and counts the state that is shown. */
void pipeline_state_enter(struct pipeline_state *s, enum pipeline_state_name to, const char *why);

/** Kafka stopped answering (`why`) or answers again (NULL). False: nothing changed. */
bool pipeline_state_set_reachable(struct pipeline_state *s, const char *why);

/** Records have waited for `age_us` (`why`: what waits, and its reason), or none waits any more (NULL). Logs
 * when that begins and when it is over; without effect while Kafka does not answer. */
void pipeline_state_set_overdue(struct pipeline_state *s, const char *why, int64_t age_us);

/** STOPPED or FAILED. */
bool pipeline_state_is_over(const struct pipeline_state *s);

/** Finds the state with this name. False: there is none. */
bool pipeline_state_find(const char *name, enum pipeline_state_name *ret);

/** Appends the members "state", "detail" and those of the last error. */
void pipeline_state_write(const struct pipeline_state *s, struct bytes *out);

#endif
