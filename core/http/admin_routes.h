// Which requests the admin port accepts: its routes, and what is refused by the request line and the headers.
#ifndef CORE_HTTP_ADMIN_ROUTES_H
#define CORE_HTTP_ADMIN_ROUTES_H

#include <stdbool.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/http/admin_request.h"

enum { ADMIN_BODY_MAX_BYTES = 2 * 1024 * 1024 };  // a schema of 1 MiB (Kafka's record limit), escaped

struct admin_route {
    char *prefix;
    admin_handler handler;
    void *self;
    bool takes_bodies;  // accepts bodies and all methods
    struct admin_route *next;
};

/** Zero-initialised has no routes. */
struct admin_routes {
    struct admin_route *list;
    const struct text_list *hosts;  // accepted Host names; lent; NULL for none
    size_t waiting;                 // admitted requests of routes that take bodies
};

/** What is known of a request before its body is read; absent headers are NULL. Borrowed. */
struct admin_head {
    const char *method;
    const char *path;
    const char *host;
    const char *origin;
    const char *content_type;
    const char *content_length;
    const char *transfer_encoding;
};

struct admin_refusal {
    int status;
    const char *message;
};

/** A prefix that exists keeps its handler; it takes bodies if either does. */
void admin_routes_add(struct admin_routes *r, const char *prefix, admin_handler handler, void *self,
                      bool takes_bodies);

/** Finds the route with the longest prefix that is the path or one of its parents; false when the request is
 * refused. */
bool admin_routes_admit(struct admin_routes *r, const struct admin_head *head, const struct admin_route **ret,
                        struct admin_refusal *ret_refusal) MUST_USE;

/** An admitted request has ended. Accepts NULL. */
void admin_routes_release(struct admin_routes *r, const struct admin_route *route);

void admin_routes_clear(struct admin_routes *r);

#endif
