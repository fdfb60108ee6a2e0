// The HTTP server of the admin port, on the loop: /metrics, /healthz, /readyz and what others register.
#ifndef CORE_HTTP_ADMIN_H
#define CORE_HTTP_ADMIN_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct admin;
struct admin_reply;  // one request's answer, given once, now or later

struct admin_request {
    const char *method;         // "GET"
    const char *path;           // what follows the route's prefix, "" or "/subjects"; decoded
    const char *authorization;  // the header, NULL when absent
    struct slice body;          // at most 16 MiB
    struct admin_reply *reply;
};

/** Called on the loop with a whole request, all borrowed for the call except `reply`: answer it exactly once.
 */
typedef void (*admin_handler)(void *self, const struct admin_request *request);

/** The value of a query parameter, decoded, borrowed for the call; NULL when absent. */
const char *admin_request_query(const struct admin_request *request, const char *name);

/** @param port  0 for any free one. FAULT_CONFIG when the address can't be had. */
bool admin_start(uv_loop_t *loop, const char *host, int port, struct admin **ret, struct fault *f) MUST_USE;
int admin_port(const struct admin *a);

/** Requests whose path is `prefix` or begins with it and '/' go to the handler; the longest prefix wins. */
void admin_route(struct admin *a, const char *prefix, admin_handler handler, void *self);
void admin_answer(struct admin_reply *reply, int status, const char *content_type, struct slice body);

/** Closes connections and frees; unanswered replies become invalid. Accepts NULL. */
void admin_stop(struct admin *a);

#endif
