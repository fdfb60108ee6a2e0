// The proxy of a client: where it is, and what it is told.
#ifndef CORE_HTTP_HTTP_PROXY_H
#define CORE_HTTP_HTTP_PROXY_H

#include "core/base/fault.h"
#include "core/http/http_client_params.h"

struct http_proxy {
    char *host;
    int port;
    char *headers;  // of CONNECT, each with its line's end
};

/** @param f  FAULT_CONFIG: the URL is not http://HOST:PORT */
bool http_proxy_new(const struct http_proxy_params *params, struct http_proxy **ret,
                    struct fault *f) MUST_USE;

/** Accepts NULL. */
void http_proxy_free(struct http_proxy *p);

#endif
