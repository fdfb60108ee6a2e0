// The connector's state: what it is, what people see of it, and its last error.
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

/** Plain data, embedded; zero-initialised but for the first two. */
struct pipeline_state {
    const char *component;  // lent: for the log
    struct metric *metric;  // lent
    enum pipeline_state_name now;
    enum pipeline_state_name shown;  // while Kafka does not answer nothing streams, whatever the source does
    bool is_kafka_lost;
    char detail[480];
    struct last_error error;
};

/** The only place that sets `now`; the log and the metric follow. */
void pipeline_state_enter(struct pipeline_state *s, enum pipeline_state_name to, const char *why);

/** Kafka stopped answering (`why`) or answers again (NULL). False: that was known. */
bool pipeline_state_set_reachable(struct pipeline_state *s, const char *why);

/** STOPPED or FAILED: it never leaves these. */
bool pipeline_state_is_over(const struct pipeline_state *s);

/** The state with this name in `ret`; false: there is none. */
bool pipeline_state_find(const char *name, enum pipeline_state_name *ret);

/** Appends the members "state", "detail" and those of the last error. */
void pipeline_state_write(const struct pipeline_state *s, struct bytes *out);

#endif
