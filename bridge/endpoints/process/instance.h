// One instance of a local function: its process, its Runtime API, its output and its limits.
#ifndef BRIDGE_ENDPOINTS_PROCESS_INSTANCE_H
#define BRIDGE_ENDPOINTS_PROCESS_INSTANCE_H

#include "bridge/config/process_config.h"
#include "bridge/endpoints/process/instance_exit.h"
#include "bridge/endpoints/process/runtime_server.h"

enum instance_state {
    INSTANCE_STARTING,  // has not asked for an invocation yet
    INSTANCE_READY,
    INSTANCE_RETIRING,  // takes no more invocations
    INSTANCE_STOPPING,  // was asked to end (SIGTERM)
    INSTANCE_KILLED,    // its guard was told to kill all (SIGUSR1)
    INSTANCE_ENDED,
};

/** The end of an instance; borrowed. */
struct instance_end {
    enum instance_end_reason reason;
    const char *text;  // one line: "the function's process exited with code 1: ModuleNotFoundError: …"
};

struct instance;

struct instance_params {
    uv_loop_t *loop;
    const struct process_config *config;  // lent until instance_start returns
    const char *function;                 // its name, lent likewise
    const char *component;                // for the log, lent until on_closed
    const char *program;                  // millrace's own: it starts the command with its limits
    /** It may take an invocation, or one more. */
    void (*on_ready)(void *self, struct instance *i);
    /** The invocation is over; the instance has forgotten it. */
    void (*on_result)(void *self, struct instance *i, struct runtime_invocation *invocation,
                      const struct runtime_result *r);
    /** Its process is gone; instance_take_running gives the invocations that it had. */
    void (*on_end)(void *self, struct instance *i, const struct instance_end *end);
    /** The last call, after on_end: it is freed when this returns. */
    void (*on_closed)(void *self, struct instance *i);
    void *self;
};

/** FAULT_CONFIG, FAULT_RETRY: it was not started. */
bool instance_start(const struct instance_params *params, struct instance **ret, struct fault *f) MUST_USE;

enum instance_state instance_state(const struct instance *i);

/** How many invocations run in it. */
size_t instance_running(const struct instance *i);

/** Monotonic time since which no invocation runs in it. */
int64_t instance_idle_since_us(const struct instance *i);

/** False, and nothing happened: it can't take one now. */
bool instance_invoke(struct instance *i, struct runtime_invocation *invocation) MUST_USE;

/** One of the invocations that run in it, which is forgotten by this; NULL: there is none. */
struct runtime_invocation *instance_take_running(struct instance *i);

/** Forgets the invocation, which the process may still work on: kills the process, or retires it when others
 * run in it. */
void instance_abandon(struct instance *i, struct runtime_invocation *invocation);

/** Takes no more invocations, and is killed once none runs in it. */
void instance_retire(struct instance *i);

/** Ends it: SIGTERM, and SIGKILL after 1 s. */
void instance_stop(struct instance *i);

/** Kills it with all that it started. */
void instance_kill(struct instance *i, enum instance_kill why);

#endif
