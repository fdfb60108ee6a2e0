// The requests of one instance to its Runtime API: it asks for invocations, and posts their results.
#ifndef BRIDGE_ENDPOINTS_PROCESS_RUNTIME_REQUESTS_H
#define BRIDGE_ENDPOINTS_PROCESS_RUNTIME_REQUESTS_H

#include "bridge/endpoints/process/runtime_invocation.h"
#include "core/base/memory.h"
#include "core/http/mhd_loop.h"

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

struct runtime_events {
    /** One more request waits for an invocation. */
    void (*on_waiting)(void *self);
    /** The invocation is over: the server does not know it any more. */
    void (*on_result)(void *self, struct runtime_invocation *invocation, const struct runtime_result *r);
    /** The function says that it can't start: its process is about to end. */
    void (*on_init_error)(void *self, const struct runtime_result *r);
    void *self;
};

/** Embedded in the server, whose daemon calls runtime_requests_serve and runtime_requests_complete. */
struct runtime_requests {
    struct runtime_events events;
    const char *component;  // for the log
    struct mhd_loop *mhd;   // of the daemon
    bool is_open;           // until runtime_requests_close
    struct MHD_Response *accepted;
    struct runtime_request *requests;        // that libmicrohttpd is not done with
    struct runtime_invocation *invocations;  // without a result
};

/** `component` and `mhd` are lent until runtime_requests_clear. */
void runtime_requests_init(struct runtime_requests *r, const struct runtime_events *events,
                           const char *component, struct mhd_loop *mhd);

/** Gives the invocation to a request that waits; false, and nothing happened: none waits. */
bool runtime_requests_send(struct runtime_requests *r, struct runtime_invocation *invocation) MUST_USE;

/** Its result is not wanted any more: one that comes later is refused as unknown. */
void runtime_requests_forget(struct runtime_requests *r, struct runtime_invocation *invocation);

/** Forgets all invocations. No callback follows; connections are closed at their next request. */
void runtime_requests_close(struct runtime_requests *r);

/** Responds to the requests that wait: MHD_stop_daemon aborts when a connection is suspended. Not from a
 * callback of the daemon. */
void runtime_requests_resume(struct runtime_requests *r);

/** The daemon has been stopped. */
void runtime_requests_clear(struct runtime_requests *r);

/** The daemon's MHD_AccessHandlerCallback; `self` is the requests. */
enum MHD_Result runtime_requests_serve(void *self, struct MHD_Connection *connection, const char *path,
                                       const char *method, const char *version, const char *data,
                                       size_t *size, void **context);

/** The daemon's MHD_RequestCompletedCallback; `self` is the requests. */
void runtime_requests_complete(void *self, struct MHD_Connection *connection, void **context,
                               enum MHD_RequestTerminationCode code);

#endif
