// The addresses of one host, looked up on libuv's worker threads and cached.
//
// getaddrinfo does not say how long an answer holds. It is used for 30 s; after that the next connection
// starts a look-up, and uses the old addresses while they are no older than 60 s. When a look-up fails,
// addresses of the last 5 minutes are used on, and it is tried again after 5 s. When nothing at the addresses
// takes a connection, the next one starts a look-up, at most once a second. A host that is an address is
// never looked up.
#ifndef CORE_HTTP_HTTP_ADDRESSES_H
#define CORE_HTTP_HTTP_ADDRESSES_H

#include <netinet/in.h>
#include <uv.h>

#include "core/base/fault.h"

enum { HTTP_ADDRESSES_MAX = 8 };  // further ones are not used

union http_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/** In the order in which to try them: as getaddrinfo sorts them (RFC 6724), families in turn (RFC 8305, 4).
 */
struct http_address_list {
    union http_address items[HTTP_ADDRESSES_MAX];
    size_t count;
};

struct http_addresses;

/** @param f  NULL: the addresses are known now; else FAULT_RETRY, borrowed for the call */
typedef void (*http_on_addresses)(void *self, const struct fault *f);

struct http_addresses *http_addresses_new(uv_loop_t *loop, const char *host, int port,
                                          http_on_addresses on_addresses, void *self);

/**
 * @param ret  the addresses, borrowed until the next call of a function here; NULL: a look-up is under way,
 *             whose end on_addresses tells later on the loop
 * @param f    FAULT_RETRY: no look-up could be started
 */
bool http_addresses_get(struct http_addresses *a, const struct http_address_list **ret,
                        struct fault *f) MUST_USE;

/** The addresses took no connection: look up again. */
void http_addresses_doubt(struct http_addresses *a);

/** on_addresses is not called any more. Accepts NULL. */
void http_addresses_free(struct http_addresses *a);

#endif
