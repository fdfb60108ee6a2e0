// A request to the admin port, and the function of the route that handles it.
#ifndef CORE_HTTP_ADMIN_REQUEST_H
#define CORE_HTTP_ADMIN_REQUEST_H

#include "core/base/bytes.h"

struct admin_reply;  // the response to one request, sent once, now or later

struct admin_request {
    const char *method;         // "GET"
    const char *path;           // without the route's prefix: "" or "/subjects"; decoded
    const char *authorization;  // the Authorization header, NULL when absent
    struct slice body;          // at most 2 MiB
    struct admin_reply *reply;
};

/** Called on the loop with a whole request, all borrowed for the call except `reply`, which must be passed to
 * admin_answer exactly once. */
typedef void (*admin_handler)(void *self, const struct admin_request *request);

#endif
