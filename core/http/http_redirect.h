// A call that follows redirects, within limits that lose and leak nothing.
//
// Only 307 and 308 are followed, which keep method and body (RFC 9110, 15.4), and only to the same scheme,
// host and port: so no credential reaches another host, TLS is never given up, and the addresses called are
// those that the policy has permitted. Every other redirect is the response.
#ifndef CORE_HTTP_HTTP_REDIRECT_H
#define CORE_HTTP_HTTP_REDIRECT_H

#include "core/http/http_transport.h"

/** The calls of a client that follow redirects. Plain data. */
struct http_redirects {
    const struct http_transport_type *type;  // through which they are sent
    void *transport;
    int max;  // how many are followed; at least 1
    struct redirect_call *calls;
};

/** As http_transport_type.send. */
struct http_call *http_redirects_send(struct http_redirects *r, const struct http_request *request,
                                      http_on_done on_done, void *self);

/** Forgets the calls, which the transport has ended. */
void http_redirects_clear(struct http_redirects *r);

#endif
