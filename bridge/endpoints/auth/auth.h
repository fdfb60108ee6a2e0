// Credentials of an endpoint's requests: one const table for each kind. Those that a function's file names
// make a chain (auth_chain.h): each appends its header lines to a request, in the order of the chain.
#ifndef BRIDGE_ENDPOINTS_AUTH_AUTH_H
#define BRIDGE_ENDPOINTS_AUTH_AUTH_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "core/http/http_head.h"
#include "core/http/http_request.h"

struct auth;

/** One request that is about to be sent. Borrowed. */
struct auth_request {
    const struct http_head *head;  // method, host, headers that are the same in all requests
    const char *target;            // path and query in place of the head's; NULL: the head's
    struct slice message_id;       // of the event; size 0: the request has several events
    struct slice body;
    int64_t wall_us;  // now
};

/** What waits for credentials. Embedded in it. */
struct auth_wait {
    struct auth_wait *next;  // for the auth's list
    struct auth_wait *prev;
    uint64_t refused;  // of a repeated request: which credentials the response refused; 0: none
    /** Called on the loop, once, never inside prepare(). NULL: sign() may be called; else why not. */
    void (*on_ready)(struct auth_wait *wait, const struct fault *f);
};

enum auth_state {
    AUTH_READY,  // sign() may be called now
    AUTH_WAITS,  // on_ready follows, unless cancelled
};

struct auth_type {
    const char *kind;
    /**
     * Does no I/O. `config` is lent for the call.
     *
     * @param ret  NULL: the configuration has no such credentials
     * @param f    FAULT_CONFIG: they are invalid; repeats nothing secret
     */
    bool (*open)(const struct function_config *config, uv_loop_t *loop, struct auth **ret,
                 struct fault *f) MUST_USE;
    /** Called before each request, and again before a request is repeated. NULL: always ready. */
    enum auth_state (*prepare)(struct auth *a, struct auth_wait *wait);
    /** The wait is over: on_ready is not called. NULL if prepare is. */
    void (*cancel)(struct auth *a, struct auth_wait *wait);
    /** Where its credentials come from, for the fault of a call that waited in vain. NULL if prepare is. */
    const char *(*place)(const struct auth *a);
    /**
     * Appends its header lines, joined by CR LF to what is there: all further lines of the request so far.
     *
     * @return  which of its credentials they have, for on_response
     */
    uint64_t (*sign)(struct auth *a, const struct auth_request *request, struct bytes *lines);
    /**
     * A response to a request with these credentials. True: they were refused, and others can be had by
     * prepare(): the request is to be sent once more. NULL: there are no others.
     */
    bool (*on_response)(struct auth *a, uint64_t version, const struct http_response *r);
    /** Overwrites what is secret. Nothing waits any more. Accepts NULL. */
    void (*close)(struct auth *a);
};

extern const struct auth_type auth_headers;   // bearer, basic, api_key
extern const struct auth_type auth_oauth2;    // tokens
extern const struct auth_type auth_webhooks;  // signatures of Standard Webhooks
extern const struct auth_type auth_aws;       // signatures of AWS, also of the endpoint lambda

/** Begins a header line: CR LF after the lines that are there. */
void auth_begin_line(struct bytes *lines, const char *name);

#endif
