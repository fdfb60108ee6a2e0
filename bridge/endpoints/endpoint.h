// What any kind of function endpoint must supply: one const table per kind.
//
// An endpoint speaks a protocol and translates the reply into a struct response. It never decides whether to
// retry, never counts attempts, never looks at events.
#ifndef BRIDGE_ENDPOINTS_ENDPOINT_H
#define BRIDGE_ENDPOINTS_ENDPOINT_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

/** What came back from one call; borrowed for on_response. */
struct response {
    struct fault transport;  // FAULT_NONE: `status` is the endpoint's; FAULT_RETRY: no whole answer came
    bool is_sent;            // with a transport fault: a byte of the request may have reached the endpoint
    bool is_timeout;
    int status;              // as HTTP
    int64_t retry_after_us;  // -1: absent
    const char *location;    // of a redirect; NULL
    struct slice body;       // the beginning of it
    int64_t took_us;
};

/** One request; everything is lent until the answer. */
struct endpoint_request {
    struct slice body;
    const char *content_type;
    const char *header_lines;  // joined by CR LF; NULL for none
    int64_t timeout_us;
};

struct endpoint;
struct endpoint_call;

typedef void (*endpoint_on_response)(void *self, const struct response *r);

struct endpoint_type {
    const char *kind;
    const char *summary;
    /** Does no I/O. `config` is lent until the last send; close does not need it. FAULT_CONFIG for senseless
     * configuration. */
    bool (*open)(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                 struct fault *f) MUST_USE;
    /** Starts a call; on_response comes later on the loop, exactly once, unless cancelled. */
    struct endpoint_call *(*send)(struct endpoint *e, const struct endpoint_request *request,
                                  endpoint_on_response on_response, void *self);
    /** Gives the call up: no on_response; a late answer goes nowhere. */
    void (*cancel)(struct endpoint *e, struct endpoint_call *call);
    /** No call is under way. Accepts NULL. */
    void (*close)(struct endpoint *e);
};

extern const struct endpoint_type endpoint_http;

#endif
