// From a host's addresses to a stream on which HTTP can be spoken: TCP, the proxy's tunnel, TLS.
#ifndef CORE_HTTP_HTTP_ESTABLISH_H
#define CORE_HTTP_HTTP_ESTABLISH_H

#include "core/http/http_client_params.h"
#include "core/http/http_dial.h"
#include "core/http/http_stream.h"

struct http_establish;

/** All is lent until the end. */
struct http_establish_params {
    uv_loop_t *loop;
    const struct http_address_list *addresses;  // of the proxy if there is one; lent for the call
    struct http_dial_guard guard;
    const char *host;  // where the requests go
    int port;
    struct http_tls *tls;       // NULL: plain
    const char *proxy_headers;  // of CONNECT, each with its line's end; NULL: there is no proxy
    enum http_version version;
};

/**
 * @param stream    the callee takes over a copy and closes it; NULL: see `f`
 * @param is_http2  which HTTP the two have agreed on
 * @param f         FAULT_RETRY
 */
typedef void (*http_on_established)(void *self, const struct http_stream *stream, bool is_http2,
                                    const struct fault *f);

/** on_established is called later on the loop, exactly once unless cancelled. NULL: the policy refuses an
 * address, see `f`. */
struct http_establish *http_establish_start(const struct http_establish_params *params,
                                            http_on_established on_established, void *self, struct fault *f);

/** Whether nothing has accepted a connection yet. */
bool http_establish_is_dialing(const struct http_establish *e);

/** Not during on_established. */
void http_establish_cancel(struct http_establish *e);

#endif
