// One function: its registration, its group membership, its delivery, and its states.
#ifndef BRIDGE_FUNCTION_FUNCTION_H
#define BRIDGE_FUNCTION_FUNCTION_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "bridge/function/function_deps.h"

struct function;

/**
 * Starts a function. Failures are not returned: they become its state.
 *
 * @param config      heap-allocated; taken over
 * @param on_stopped  called once, after function_stop
 */
struct function *function_start(const struct function_deps *deps, struct function_config *config,
                                void (*on_stopped)(void *self, struct function *fn), void *self);

const char *function_name(const struct function *fn);
const struct function_config *function_config_of(const struct function *fn);

/** Applies a configuration for which function_change_between returns IN_PLACE, and takes it over. The
 * function must be ready. */
void function_change_config(struct function *fn, struct function_config *config);

/** Stops taking events, waits for running calls, commits, leaves the group; then calls on_stopped, after
 * which the owner calls function_free. */
void function_stop(struct function *fn);

/** Cancels running calls of a function that is stopping, so that it stops at once. */
void function_abandon(struct function *fn);

/** The function has stopped. Accepts NULL. */
void function_free(struct function *fn);

/** Only with deps.job. */
struct job_state function_job(const struct function *fn);

bool function_is_ready(const struct function *fn);

/** Ready, and Kafka answers. */
bool function_can_work(const struct function *fn);

/** Appends {"name","state","detail","lag_records","in_flight",…}. */
void function_status(const struct function *fn, struct bytes *out);

#endif
