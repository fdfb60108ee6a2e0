// The AWS Lambda Runtime API, version 2018-06-01, for one instance of a local function: it asks for
// invocations and posts their results. Each instance has a port of its own of 127.0.0.1. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#ifndef BRIDGE_ENDPOINTS_PROCESS_RUNTIME_SERVER_H
#define BRIDGE_ENDPOINTS_PROCESS_RUNTIME_SERVER_H

#include <sys/types.h>
#include <uv.h>

#include "bridge/endpoints/process/runtime_requests.h"
#include "core/base/fault.h"

struct runtime_server_params {
    uv_loop_t *loop;
    const char *component;  // for the log; lent until runtime_server_stop
    uid_t uid;              // connections of other users' processes are refused
    size_t connections_max;
    struct runtime_events events;
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
