// The instances of one local function, and the calls that wait for one: starts instances as calls need them,
// stops idle ones, starts broken ones again with growing waits.
#ifndef BRIDGE_ENDPOINTS_PROCESS_PROCESS_POOL_H
#define BRIDGE_ENDPOINTS_PROCESS_PROCESS_POOL_H

#include "bridge/config/process_config.h"
#include "bridge/endpoints/process/runtime_server.h"
#include "core/base/last_error.h"

enum process_verdict {
    PROCESS_SUCCEEDED,
    PROCESS_FAILED,         // the function said so; `body` is its error document
    PROCESS_TOO_LARGE,      // its result is too large
    PROCESS_CRASHED,        // its process ended during the call
    PROCESS_OUT_OF_MEMORY,  // likewise, killed for its memory
    PROCESS_TIMED_OUT,      // its process was killed
    PROCESS_NOT_STARTED,    // nothing was sent: no process asked for it
};

/** What became of a call; borrowed. */
struct process_result {
    enum process_verdict verdict;
    struct slice body;
    const char *error_type;  // of PROCESS_FAILED; NULL: none
    const char *text;        // why it failed otherwise; one line
    int64_t took_us;         // since an instance was given it
};

struct instance;
struct process_pool;
struct process_call;

typedef void (*process_on_result)(struct process_call *call, const struct process_result *r);

enum process_call_state {
    PROCESS_CALL_WAITS,
    PROCESS_CALL_RUNS,
    PROCESS_CALL_LATE,  // its time is over: it ends with its process, or with a late result
};

/** One call, embedded in its owner; in place until its result or process_pool_cancel. */
struct process_call {
    struct runtime_invocation invocation;
    struct slice body;     // lent until the result
    const char *trace_id;  // likewise; NULL: none
    int64_t timeout_us;    // for the function alone
    process_on_result on_result;
    // Private:
    enum process_call_state state;
    struct instance *instance;
    int64_t at_us;        // monotonic: when it began to wait, or to run
    int64_t deadline_us;  // monotonic
    struct process_call *prev;
    struct process_call *next;
};

struct process_pool_params {
    uv_loop_t *loop;
    const struct process_config *config;  // lent until process_pool_new returns
    const char *function;                 // its name; likewise
    const char *program;                  // millrace's own; lent for ever
};

/** Starts the instances that are to be warm. */
struct process_pool *process_pool_new(const struct process_pool_params *params);

/** The result comes later on the loop. */
void process_pool_call(struct process_pool *p, struct process_call *call);

/** on_result is not called. A call that runs takes its process with it: that is killed, or, while other calls
 * run in it, takes no more and is killed after them. */
void process_pool_cancel(struct process_pool *p, struct process_call *call);

/** Why the last instance failed, until one asks for an invocation; not set: none has failed since. */
const struct last_error *process_pool_trouble(const struct process_pool *p);

/** How many of its instances have not ended. */
size_t process_pool_instances(const struct process_pool *p);

/** No call is left. Stops the instances; frees itself when they are gone. Accepts NULL. */
void process_pool_close(struct process_pool *p);

#endif
