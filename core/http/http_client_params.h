// How the calls of an http_client are made.
#ifndef CORE_HTTP_HTTP_CLIENT_PARAMS_H
#define CORE_HTTP_HTTP_CLIENT_PARAMS_H

#include <stddef.h>

struct http_policy;

enum { HTTP_CLIENT_CALLS_MAX = 4096 };  // a bound on connections_max

enum http_version {
    HTTP_VERSION_AUTO,  // over TLS what the server chooses, else HTTP/1.1
    HTTP_VERSION_1_1,
    HTTP_VERSION_2,  // over TLS refused unless the server chooses it; else by prior knowledge
};

/** PEM texts, not files; NULL: as said. */
struct http_tls_params {
    const char *ca;           // certificates to trust; NULL: those of the system
    const char *certificate;  // of the client, and those between it and its authority; NULL: none
    const char *key;          // of the certificate
    const char *server_name;  // asked for and checked in place of the URL's host; NULL: the URL's host
};

/** Reached by plain HTTP; every connection is a tunnel (CONNECT), for http:// too. */
struct http_proxy_params {
    const char *url;       // http://HOST:PORT; NULL: no proxy
    const char *username;  // NULL: none
    const char *password;
};

/** Copied by http_client_new, except the policy. */
struct http_client_params {
    size_t connections_max;  // limit of open connections to all hosts together; further calls wait their turn
    enum http_version version;
    struct http_tls_params tls;
    struct http_proxy_params proxy;
    int redirects_max;                 // 307 and 308 within scheme, host and port are followed so often
    const struct http_policy *policy;  // lent; NULL: every address may be called
};

#endif
