// Which addresses the URLs in functions' files may lead to: a guard against server-side request forgery.
//
// A host is looked up once for each connection, every address found must be permitted, and the connection
// goes to one of exactly these addresses. So a name that changes its address between two look-ups gains
// nothing.
#ifndef CORE_HTTP_HTTP_POLICY_H
#define CORE_HTTP_HTTP_POLICY_H

#include "core/base/fault.h"
#include "core/base/text.h"

struct sockaddr;
struct http_head;
struct settings;

/** fault.origin of a refusal. */
#define HTTP_POLICY_ORIGIN "endpoint_policy"

enum http_policy_kind {
    HTTP_POLICY_PRIVATE,  // all but link-local addresses, those of metadata services, multicast, unspecified
    HTTP_POLICY_PUBLIC,   // only addresses that are globally reachable
    HTTP_POLICY_LIST,     // only what `allow` names
};

/** Plain data; zero-initialised it is `private` without exceptions. */
struct http_policy {
    enum http_policy_kind kind;
    /**
     * Ranges of addresses (see ip_network_read), and globs of host names; lent. NULL: none. A range permits
     * its addresses, whatever they are. A glob permits what the host's name leads to, except what
     * HTTP_POLICY_PRIVATE refuses: that takes a range.
     */
    const struct text_list *allow;
};

/** That of millrace.yaml, whose list is lent. */
struct http_policy http_policy_of(const struct settings *settings);

/**
 * Whether a connection to this host may go to this address, which the host has.
 *
 * @param f  FAULT_RETRY: which address is refused and why, and what to do
 */
bool http_policy_permits(const struct http_policy *policy, const char *host, const struct sockaddr *address,
                         struct fault *f) MUST_USE;

/** What can be told without a look-up: whether a host that is an address itself, in any notation, may be
 * called, and with HTTP_POLICY_LIST that a name may not which neither a glob nor any range can permit. */
bool http_policy_permits_head(const struct http_policy *policy, const struct http_head *head,
                              struct fault *f) MUST_USE;

/** Whether a host that a proxy looks up may be called: one that is an address as
 * http_policy_permits_head says; with HTTP_POLICY_LIST a name must be in the list. */
bool http_policy_permits_unresolved(const struct http_policy *policy, const char *host,
                                    struct fault *f) MUST_USE;

#endif
