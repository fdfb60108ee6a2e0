// One invocation of a local function, as the Runtime API carries it.
#ifndef BRIDGE_ENDPOINTS_PROCESS_RUNTIME_INVOCATION_H
#define BRIDGE_ENDPOINTS_PROCESS_RUNTIME_INVOCATION_H

#include "core/base/bytes.h"

enum {
    RUNTIME_ID_SIZE = 37,  // a UUID's text and its NUL
};

struct runtime_request;

/** One invocation of the function; stays in place until its result or runtime_server_forget. */
struct runtime_invocation {
    char id[RUNTIME_ID_SIZE];         // unique, also among those that were given up
    struct slice body;                // lent until runtime_server_send returns
    int64_t deadline_wall_us;         // when it will be given up
    const char *function_arn;         // lent until runtime_server_send returns
    const char *trace_id;             // as X-Amzn-Trace-Id; NULL: none; lent likewise
    struct runtime_request *request;  // private: that which carries it to the function; NULL: it has it
    struct runtime_invocation *prev;
    struct runtime_invocation *next;
};

#endif
