// All functions of one bridge process: starts, replaces and stops them as their files come and go.
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "bridge/intake/call_observer.h"
#include "bridge/intake/job.h"
#include "core/metrics.h"
#include "core/trace/tracer.h"
#include "schemas/registry/registry.h"

struct bridge;

struct bridge_params {
    uv_loop_t *loop;
    const struct settings *settings;  // lent
    struct registry *registry;        // lent
    struct metrics *metrics;          // lent
    struct tracer *tracer;            // lent; NULL: no spans
    /** Called once: bridge_drain has finished or given up; `f` is NULL. */
    void (*on_end)(void *self, const struct fault *f);
    void *self;
    struct job *job;                       // lent; NULL: functions run as their files say
    const struct call_observer *observer;  // lent; NULL: none
    uint64_t drain_ms;                     // how long bridge_drain waits for running calls; 0: 20 s
    uint64_t leave_ms;                     // how long it then waits for Kafka; 0: 2.5 s
};

bool bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f) MUST_USE;

/**
 * Sets the functions that shall run. New ones start, missing ones drain and stop, unchanged ones are not
 * touched. A changed one takes its new configuration without a rebalance if function_change_between allows
 * it, and restarts otherwise.
 *
 * @param configs  an array of `count` heap-allocated configs; the bridge takes over the configs, not the
 * array
 */
void bridge_apply(struct bridge *b, struct function_config **configs, size_t count);

/** As bridge_apply, but the functions named in `kept` are not touched: their files are invalid now. */
void bridge_apply_keeping(struct bridge *b, struct function_config **configs, size_t count,
                          const struct text_list *kept);

/** Stops taking events, waits up to drain_ms for running calls, commits and leaves the groups (up to
 * leave_ms); then calls on_end(NULL). A second call does nothing. */
void bridge_drain(struct bridge *b);

/** Appends a JSON array of {"name","state","detail","lag_records","in_flight",…}. */
void bridge_status(const struct bridge *b, struct bytes *out);
/** The state of the job of the only function; with bridge_params.job. */
struct job_state bridge_job(const struct bridge *b);

bool bridge_is_ready(const struct bridge *b);

/** True when no function is left. */
bool bridge_is_over(const struct bridge *b);

/**
 * Frees the bridge if bridge_is_over. Otherwise nothing is freed, because the remaining functions still use
 * it; the loop must not run again then. Accepts NULL.
 */
void bridge_free(struct bridge *b);

#endif
