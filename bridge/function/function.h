// One function: registered, a member of its group, delivering; and the states it goes through.
#ifndef BRIDGE_FUNCTION_FUNCTION_H
#define BRIDGE_FUNCTION_FUNCTION_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "bridge/function/function_deps.h"

struct function;

// clang-format off
#define FUNCTION_STATES(X) \
    X(STARTING, starting)   /* registering, joining its group */ \
    X(RUNNING, running)                                          \
    X(THROTTLED, throttled) /* the endpoint asked for a pause or can't be reached */ \
    X(PAUSED, paused)                                            \
    X(DRAINING, draining)   /* ends what runs, gives its partitions back */ \
    X(STOPPED, stopped)                                          \
    X(FAILED, failed)       /* an operator must do something; tried again now and then */
// clang-format on

enum function_state {
#define X(name, text) FUNCTION_##name,
    FUNCTION_STATES(X)
#undef X
};

const char *function_state_name(enum function_state state);

/**
 * Starts it; all trouble becomes its state.
 *
 * @param config      heap-allocated; taken over
 * @param on_stopped  after function_stop, once
 */
struct function *function_start(const struct function_deps *deps, struct function_config *config,
                                void (*on_stopped)(void *self, struct function *fn), void *self);

const char *function_name(const struct function *fn);
const struct function_config *function_config_of(const struct function *fn);

/** Brings it to a configuration that function_change_between calls IN_PLACE, while it is ready; takes it
 * over. */
void function_change_config(struct function *fn, struct function_config *config);

/** Takes no more events, ends what runs, commits, leaves the group; then on_stopped, and function_free. */
void function_stop(struct function *fn);

/** While it stops: gives running calls up, so that it comes to its end at once. */
void function_abandon(struct function *fn);

/** Stopped. Accepts NULL. */
void function_free(struct function *fn);

enum function_state function_state_of(const struct function *fn);
bool function_is_ready(const struct function *fn);

/** Ready, and Kafka answers. */
bool function_can_work(const struct function *fn);

/** Appends {"name","state","detail","lag_records","in_flight",…}. */
void function_status(const struct function *fn, struct bytes *out);

#endif
