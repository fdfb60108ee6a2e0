// The HTTP server of the admin port, on the loop: routes registered by health, metrics and registry.
#ifndef CORE_HTTP_ADMIN_H
#define CORE_HTTP_ADMIN_H

#include <uv.h>

#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/http/admin_request.h"

struct admin;

/** The value of a query parameter, decoded, borrowed for the call; NULL when absent. */
const char *admin_request_query(const struct admin_request *request, const char *name);

struct admin_params {
    uv_loop_t *loop;
    const char *host;               // an IP address or localhost
    int port;                       // 0 for any free one
    const char *key;                // setting that the address comes from, for faults: "admin.listen"
    const struct text_list *hosts;  // accepted Host names (admin.hosts); lent; NULL for none
};

/** FAULT_CONFIG when it can't listen on the address. Slow connections, and the oldest of too many, are
 * closed, so that new requests are always served. */
bool admin_start(const struct admin_params *params, struct admin **ret, struct fault *f) MUST_USE;
int admin_port(const struct admin *a);

/**
 * Passes requests whose path is `prefix`, or begins with it and '/', to the handler; the longest prefix wins.
 * Accepts only GET and HEAD without a body; other requests are refused before their body is read.
 */
void admin_route(struct admin *a, const char *prefix, admin_handler handler, void *self);

/** As admin_route, for every method; bodies must have a schema registry's JSON content type. */
void admin_route_writable(struct admin *a, const char *prefix, admin_handler handler, void *self);

/** Sends the response; the body is copied. */
void admin_answer(struct admin_reply *reply, int status, const char *content_type, struct slice body);

/** Closes connections and frees; unanswered replies become invalid. Accepts NULL. */
void admin_stop(struct admin *a);

#endif
