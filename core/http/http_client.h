// HTTP requests on the loop by libcurl's multi interface: kept-alive connections, HTTP/1.1 and HTTP/2, TLS.
#ifndef CORE_HTTP_HTTP_CLIENT_H
#define CORE_HTTP_HTTP_CLIENT_H

#include <curl/curl.h>
#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct http_client;
struct http_call;  // one request under way

struct http_request {
    const char *method;          // "POST"
    const char *url;             // http or https
    struct curl_slist *headers;  // lent until on_done; may be nodes of the caller's own making; no CR, LF
    const char
        *header_lines;   // more headers as on the wire, lines joined by CR LF, none at the end; lent; or NULL
    struct slice body;   // lent until on_done
    int64_t timeout_us;  // whole call
    size_t response_max_bytes;  // more of the answer's body than this is read and thrown away
    const char *username;       // basic auth; NULL for none
    const char *password;
};

enum { HTTP_CLIENT_CALLS_MAX = 4096 };  // a bound on connections_max

/** Borrowed for on_done. */
struct http_response {
    struct fault
        transport;  // kind FAULT_NONE: `status` is what the server said; FAULT_RETRY: no whole answer came
    bool is_sent;   // with a transport fault: whether a byte of the request may have reached the peer
    bool is_timeout;
    int status;
    int64_t retry_after_us;  // -1: header absent or senseless; both forms understood; not capped
    const char *location;    // of a 3xx; NULL
    struct slice body;       // the first response_max_bytes
    int64_t took_us;
};

typedef void (*http_on_done)(void *self, const struct http_response *response);

/** @param connections_max  open at once, all hosts together */
struct http_client *http_client_new(uv_loop_t *loop, size_t connections_max);
void http_client_free(struct http_client *c);

/** Starts the request; on_done comes later on the loop, exactly once, unless cancelled. Redirects are not
 * followed. */
struct http_call *http_client_send(struct http_client *c, const struct http_request *request,
                                   http_on_done on_done, void *self);

/** Gives the call up: no on_done; a late answer goes nowhere. */
void http_call_cancel(struct http_call *call);

#endif
