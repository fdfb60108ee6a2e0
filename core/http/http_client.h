// HTTP requests on the loop, with keep-alive. A proxy is used only if the parameters name one, whatever the
// environment says.
#ifndef CORE_HTTP_HTTP_CLIENT_H
#define CORE_HTTP_HTTP_CLIENT_H

#include <uv.h>

#include "core/http/http_client_params.h"
#include "core/http/http_request.h"

struct http_client;
struct http_call;  // one request in progress

struct http_client *http_client_new(uv_loop_t *loop, const struct http_client_params *params);

/** Aborts its calls: on_done is not called. Also allowed during on_done. Accepts NULL. */
void http_client_free(struct http_client *c);

/** Starts the request; on_done is called later on the loop, exactly once unless the call is cancelled. */
struct http_call *http_client_send(struct http_client *c, const struct http_request *request,
                                   http_on_done on_done, void *self);

/** Aborts the call: on_done is not called, a late response is discarded. */
void http_call_cancel(struct http_call *call);

#endif
