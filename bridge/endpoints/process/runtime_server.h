// The AWS Lambda Runtime API, version 2018-06-01, for one instance of a local function: it asks for
// invocations and posts their results. Each instance has a port of its own of 127.0.0.1. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#ifndef BRIDGE_ENDPOINTS_PROCESS_RUNTIME_SERVER_H
#define BRIDGE_ENDPOINTS_PROCESS_RUNTIME_SERVER_H

#include <sys/types.h>
#include <uv.h>

#include "bridge/endpoints/process/runtime_invocation.h"
#include "core/base/fault.h"

enum { RUNTIME_RESPONSE_MAX = 6 << 20 };  // bytes of a result, as in AWS Lambda

enum runtime_verdict {
    RUNTIME_SUCCEEDED,
    RUNTIME_FAILED,     // the function says that it failed
    RUNTIME_TOO_LARGE,  // the result is larger than RUNTIME_RESPONSE_MAX
    RUNTIME_UNSENT,     // the connection broke before the function had the whole invocation
};

/** What became of an invocation; borrowed. */
struct runtime_result {
    enum runtime_verdict verdict;
    struct slice body;       // the result, or the document of the error
    const char *error_type;  // "Runtime.ImportModuleError"; NULL: the function names none
};

struct runtime_server_params {
    uv_loop_t *loop;
    const char *component;  // for the log; lent until runtime_server_stop
    uid_t uid;              // connections of other users' processes are refused
    size_t connections_max;
    /** One more request waits for an invocation. */
    void (*on_waiting)(void *self);
    /** The invocation is over: the server does not know it any more. */
    void (*on_result)(void *self, struct runtime_invocation *invocation, const struct runtime_result *r);
    /** The function says that it can't start: its process is about to end. */
    void (*on_init_error)(void *self, const struct runtime_result *r);
    void *self;
};

struct runtime_server;

/** FAULT_RETRY: no port, no descriptor. */
bool runtime_server_start(const struct runtime_server_params *params, struct runtime_server **ret,
                          struct fault *f) MUST_USE;

int runtime_server_port(const struct runtime_server *s);

/** Gives the invocation to a request that waits; false, and nothing happened: none waits. */
bool runtime_server_send(struct runtime_server *s, struct runtime_invocation *invocation) MUST_USE;

/** Its result is not wanted any more: one that comes later is refused as unknown. */
void runtime_server_forget(struct runtime_server *s, struct runtime_invocation *invocation);

/** One of the invocations that it knows; NULL: none. */
struct runtime_invocation *runtime_server_first(const struct runtime_server *s);

/** Forgets all invocations and closes all connections; may be called from a callback. No callback follows but
 * on_closed, later on the loop; then it is freed. */
void runtime_server_stop(struct runtime_server *s, void (*on_closed)(void *self), void *self);

#endif
