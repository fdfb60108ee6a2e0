// The interface of function endpoints: one const table for each kind.
// An endpoint implements a protocol and translates replies into struct response. It does not decide on
// retries, count attempts or see events.
#ifndef BRIDGE_ENDPOINTS_ENDPOINT_H
#define BRIDGE_ENDPOINTS_ENDPOINT_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/base/last_error.h"
#include "core/http/http_request.h"

/** The response to one call; borrowed for on_response. */
struct response {
    struct fault transport;  // FAULT_NONE: `status` is set; FAULT_RETRY: no complete response came
    bool is_sent;            // with a transport fault: a byte of the request may have reached the endpoint
    bool is_timeout;
    int status;              // as HTTP
    int64_t retry_after_us;  // -1: absent
    const char *location;    // of a redirect; NULL
    bool is_abort;           // the endpoint asks not to be called with these events again
    struct slice body;       // its first bytes
    const char *failure;     // a metric label, static: the function failed, whatever the status, or, with a
                             // transport fault, why nothing was sent; NULL
    const struct http_field *fields;  // all headers, if they were wanted; NULL: the protocol has none
    size_t field_count;
    struct slice detail;  // what the endpoint says about a failure, as text; may be long; size 0: nothing
    bool is_cut;          // it is so long that it was not read to its end; its connection was closed
    int64_t took_us;
};

/** One request; everything is lent until the response. */
struct endpoint_request {
    struct slice body;
    const char *target;       // of a URL, path and query, in place of the configuration's; NULL: those
    struct slice message_id;  // the event's; size 0: the request has several events
    const char *content_type;
    const char *header_lines;  // joined by CR LF; NULL for none
    int64_t timeout_us;
    size_t response_max_bytes;  // of the response's body; the rest is discarded, or cut off
    bool wants_fields;          // the response is to have all headers
};

struct endpoint;
struct endpoint_call;

typedef void (*endpoint_on_response)(void *self, const struct response *r);

struct endpoint_type {
    const char *kind;
    const char *summary;
    const struct status_table *statuses;  // what its statuses mean; NULL: what outcome.h says
    size_t body_max;  // the largest body that it takes, whatever `batch.bytes` allows; SIZE_MAX: any
    bool is_lasting;  // it is kept while its section of the file is the same: it needs no `config` after open
    /** Does no I/O. `config` is lent until the last send; close does not need it. FAULT_CONFIG: the
     * configuration is invalid. */
    bool (*open)(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                 struct fault *f) MUST_USE;
    /** Starts a call, which may wait for credentials first; on_response comes later on the loop, exactly
     * once, unless cancelled. */
    struct endpoint_call *(*send)(struct endpoint *e, const struct endpoint_request *request,
                                  endpoint_on_response on_response, void *self);
    /** Cancels the call: on_response is not called. */
    void (*cancel)(struct endpoint *e, struct endpoint_call *call);
    /** What is wrong with it, whether or not it is called; not set: nothing. NULL: such an endpoint knows
     * only by calls. */
    const struct last_error *(*trouble)(const struct endpoint *e);
    /** No call is in flight. Accepts NULL. */
    void (*close)(struct endpoint *e);
};

extern const struct endpoint_type endpoint_http;
extern const struct endpoint_type endpoint_lambda;
extern const struct endpoint_type endpoint_lambda_event;
extern const struct endpoint_type endpoint_process;

const struct endpoint_type *endpoint_type_of(enum function_endpoint kind);

#endif
