// HTTP requests on the loop through libcurl's multi interface: keep-alive, HTTP/1.1 and HTTP/2, TLS.
#ifndef CORE_HTTP_HTTP_CLIENT_H
#define CORE_HTTP_HTTP_CLIENT_H

#include <curl/curl.h>
#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct http_client;
struct http_call;  // one request in progress

struct http_request {
    const char *method;          // "POST"
    const char *url;             // http or https
    struct curl_slist *headers;  // lent until on_done; need not be made by curl; no CR or LF
    const char *header_lines;    // further headers, joined by CR LF, none at the end; lent; NULL: none
    struct slice body;           // lent until on_done
    int64_t timeout_us;          // for the whole call
    size_t response_max_bytes;   // the rest of the response's body is read and discarded
    const char *username;        // basic auth; NULL for none
    const char *password;
};

enum { HTTP_CLIENT_CALLS_MAX = 4096 };  // a bound on connections_max

/** Valid during on_done. */
struct http_response {
    struct fault transport;  // kind FAULT_NONE: `status` is valid; FAULT_RETRY: no complete response arrived
    bool is_sent;  // with a transport fault: whether a byte of the request may have reached the peer
    bool is_timeout;
    int status;
    int64_t retry_after_us;  // -1: Retry-After absent or invalid, or status not 429 or 503; at most 2^31 s
    const char *location;    // of a 3xx; NULL
    struct slice body;       // the first response_max_bytes
    int64_t took_us;
};

typedef void (*http_on_done)(void *self, const struct http_response *response);

/** @param connections_max  limit of open connections to all hosts together */
struct http_client *http_client_new(uv_loop_t *loop, size_t connections_max);
void http_client_free(struct http_client *c);

/** Starts the request; on_done is called later on the loop, exactly once unless the call is cancelled. Does
 * not follow redirects. */
struct http_call *http_client_send(struct http_client *c, const struct http_request *request,
                                   http_on_done on_done, void *self);

/** Aborts the call: on_done is not called, a late response is discarded. */
void http_call_cancel(struct http_call *call);

#endif
