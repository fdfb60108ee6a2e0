// A function's state, the reason for it, and the errors that stop the whole function.
#ifndef BRIDGE_FUNCTION_FUNCTION_STATE_H
#define BRIDGE_FUNCTION_FUNCTION_STATE_H

#include "bridge/delivery/function_metrics.h"
#include "core/base/last_error.h"

// clang-format off
#define FUNCTION_STATES(X) \
    X(STARTING, "starting")   /* registers, joins its group */ \
    X(RUNNING, "running")                                      \
    X(THROTTLED, "throttled") /* the endpoint asked for a pause, fails or is unreachable */ \
    X(PAUSED, "paused")       /* its file says so */           \
    X(DRAINING, "draining")   /* running calls end, partitions are given back */ \
    X(STOPPED, "stopped")                                      \
    X(FAILED, "failed")       /* an operator must act; retried every 30 s */
// clang-format on

enum function_state_name {
#define X(name, text) FUNCTION_##name,
    FUNCTION_STATES(X)
#undef X
};

/** Plain data, embedded. */
struct function_state {
    const char *component;             // lent: for the log
    struct function_metrics *metrics;  // lent
    enum function_state_name now;
    char *detail;                   // reason for the state, shown in the status
    struct last_error kafka_error;  // while Kafka does not respond
    struct last_error failure;      // why it is FAILED and since when, kept across retries
};

/** STARTING. */
void function_state_init(struct function_state *s, const char *component, struct function_metrics *metrics);
void function_state_clear(struct function_state *s);

/** Sets `now`; logs and counts it. Aborts the process if `to` may not follow. */
void function_state_enter(struct function_state *s, enum function_state_name to, const char *why);

/** Kafka does not respond, or (NULL) it responds again; logs each change once. */
void function_state_set_kafka_error(struct function_state *s, const char *why);

/** The registration is retried, because Kafka does not respond. */
void function_state_delay(struct function_state *s, const char *why);

/** It is registered: Kafka has responded, and the group takes it in next. */
void function_state_join(struct function_state *s);

/** RUNNING, THROTTLED or PAUSED. */
bool function_state_is_ready(const struct function_state *s);

/** The error that stops the whole function; NULL: there is none. */
const struct last_error *function_state_error(const struct function_state *s);

/** The reason for the state, for the status: that Kafka does not respond, if so. */
const char *function_state_detail(const struct function_state *s, size_t partition_count);

/** The state as users see it: "running" … */
const char *function_state_text(const struct function_state *s);

#endif
