// A TCP connection to whichever of a host's addresses takes it: the next address is tried when one refuses,
// or has not answered within 250 ms, beside it (RFC 8305, 5).
#ifndef CORE_HTTP_HTTP_DIAL_H
#define CORE_HTTP_HTTP_DIAL_H

#include "core/http/http_addresses.h"

struct http_dial;
struct http_policy;

/** What is looked at before each connection is begun. */
struct http_dial_guard {
    const struct http_policy *policy;  // lent; NULL: every address is permitted
    const char *host;                  // whose addresses they are; lent
};

/**
 * @param fd  the connected socket, which the callee must close; -1: see `f`
 * @param f   FAULT_RETRY: why the last address failed
 */
typedef void (*http_on_dialed)(void *self, int fd, const struct fault *f);

/**
 * on_dialed is called later on the loop, exactly once unless cancelled.
 *
 * @param f  what the policy says about one of the addresses, all of which it must permit; NULL is returned
 */
struct http_dial *http_dial_start(uv_loop_t *loop, const struct http_address_list *addresses,
                                  const struct http_dial_guard *guard, http_on_dialed on_dialed, void *self,
                                  struct fault *f);

/** Not during on_dialed. */
void http_dial_cancel(struct http_dial *d);

#endif
