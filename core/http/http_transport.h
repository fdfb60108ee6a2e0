// What http_client chooses from: one const table for each way to make a call.
#ifndef CORE_HTTP_HTTP_TRANSPORT_H
#define CORE_HTTP_HTTP_TRANSPORT_H

#include <uv.h>

#include "core/http/http_client_params.h"
#include "core/http/http_request.h"

struct http_transport_type {
    /** The parameters are lent until close. */
    void *(*open)(uv_loop_t *loop, const struct http_client_params *params);
    /** As http_client_send. */
    struct http_call *(*send)(void *transport, const struct http_request *request, http_on_done on_done,
                              void *self);
    /** As http_call_cancel. */
    void (*cancel)(struct http_call *call);
    /** Also called during on_done. Accepts NULL. */
    void (*close)(void *transport);
};

/** The first member of each transport's calls. */
struct http_call {
    const struct http_transport_type *type;
};

extern const struct http_transport_type http1_client;

#endif
