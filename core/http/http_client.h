// HTTP requests on the loop, with keep-alive. Redirects are not followed; no proxy is used, whatever the
// environment says.
#ifndef CORE_HTTP_HTTP_CLIENT_H
#define CORE_HTTP_HTTP_CLIENT_H

#include <uv.h>

#include "core/http/http_request.h"

struct http_client;
struct http_call;  // one request in progress

enum { HTTP_CLIENT_CALLS_MAX = 4096 };  // a bound on connections_max

/** @param connections_max  limit of open connections to all hosts together, for http and for https; further
 * calls wait their turn */
struct http_client *http_client_new(uv_loop_t *loop, size_t connections_max);

/** Aborts its calls: on_done is not called. Also allowed during on_done. Accepts NULL. */
void http_client_free(struct http_client *c);

/** Starts the request; on_done is called later on the loop, exactly once unless the call is cancelled. */
struct http_call *http_client_send(struct http_client *c, const struct http_request *request,
                                   http_on_done on_done, void *self);

/** Aborts the call: on_done is not called, a late response is discarded. */
void http_call_cancel(struct http_call *call);

#endif
