// Sources: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890), RFC 6052 (NAT64), RFC 3056 (6to4),
// RFC 4291 (mapped and compatible addresses), and the documents of the clouds about their metadata services.
#include "core/http/http_policy.h"

#include <netinet/in.h>

#include "core/base/ip_network.h"
#include "core/config/settings.h"
#include "core/http/http_head.h"

struct range {
    const char *network;
    const char *what;
};

/** Nothing that a function's URL should lead to: what HTTP_POLICY_PRIVATE refuses. */
static const struct range NEVER[] = {
    {"0.0.0.0/8", "this network"},
    {"::/128", "the unspecified address"},
    {"169.254.0.0/16", "a link-local address, where metadata services are"},
    {"fe80::/10", "a link-local address"},
    {"224.0.0.0/4", "a multicast address"},
    {"ff00::/8", "a multicast address"},
    {"255.255.255.255/32", "the broadcast address"},
    {"fd00:ec2::/32", "a metadata service of AWS"},
    {"fd20:ce::254/128", "the metadata service of Google Cloud"},
    {"100.100.100.200/32", "the metadata service of Alibaba Cloud"},
    {"168.63.129.16/32", "a metadata service of Azure"},
    {"192.0.0.192/32", "a metadata service of Oracle Cloud"},
};

/** What HTTP_POLICY_PUBLIC refuses besides. */
static const struct range NOT_GLOBAL[] = {
    {"10.0.0.0/8", "a private address"},
    {"172.16.0.0/12", "a private address"},
    {"192.168.0.0/16", "a private address"},
    {"127.0.0.0/8", "a loopback address"},
    {"100.64.0.0/10", "an address behind a carrier's NAT"},
    {"192.0.0.0/24", "an address for protocols"},
    {"192.0.2.0/24", "an address for documentation"},
    {"198.51.100.0/24", "an address for documentation"},
    {"203.0.113.0/24", "an address for documentation"},
    {"192.88.99.0/24", "a 6to4 relay"},
    {"198.18.0.0/15", "an address for benchmarks"},
    {"240.0.0.0/4", "a reserved address"},
    {"::1/128", "the loopback address"},
    {"64:ff9b::/96", "an IPv4 address behind NAT64"},
    {"64:ff9b:1::/48", "an IPv4 address behind NAT64"},
    {"fc00::/7", "a private address"},
    {"fec0::/10", "a site-local address"},
    {"2001::/23", "an address for protocols"},
    {"2001:db8::/32", "an address for documentation"},
    {"3fff::/20", "an address for documentation"},
    {"2002::/16", "a 6to4 address"},
};

/** Where IPv6 addresses have an IPv4 address in them, from this byte on. */
static const struct {
    const char *network;
    size_t at;
} EMBEDDED[] = {
    {"::/96", 12},    {"64:ff9b::/96", 12}, {"64:ff9b:1::/48", 12},
    {"2002::/16", 2}, {"2001::/32", 12},  // Teredo: inverted
};

struct http_policy http_policy_of(const struct settings *settings)
{
    struct http_policy policy = {.kind = HTTP_POLICY_PRIVATE, .allow = &settings->endpoint.allow};
    switch (settings->endpoint.policy) {
    case ENDPOINT_POLICY_PRIVATE:
        break;
    case ENDPOINT_POLICY_PUBLIC:
        policy.kind = HTTP_POLICY_PUBLIC;
        break;
    case ENDPOINT_POLICY_LIST:
        policy.kind = HTTP_POLICY_LIST;
        break;
    }
    return policy;
}

static bool is_in(const char *network, const struct ip_bytes *address)
{
    struct ip_network n;
    struct fault f;
    return ip_network_read(network, &n, &f) && ip_network_has(&n, address);
}

static const struct range *find(const struct range *ranges, size_t count, const struct ip_bytes *address)
{
    for (size_t i = 0; i < count; i++) {
        if (is_in(ranges[i].network, address)) {
            return &ranges[i];
        }
    }
    return NULL;
}

/** The IPv4 address in an IPv6 one that leads there; false: none. */
static bool embedded_of(const struct ip_bytes *address, struct ip_bytes *ret)
{
    for (size_t i = 0; !ip_bytes_is_v4(address) && i < COUNT_OF(EMBEDDED); i++) {
        if (is_in(EMBEDDED[i].network, address)) {
            struct sockaddr_in v4 = {.sin_family = AF_INET};
            memcpy(&v4.sin_addr, address->bytes + EMBEDDED[i].at, 4);
            if (strcmp(EMBEDDED[i].network, "2001::/32") == 0) {
                v4.sin_addr.s_addr = ~v4.sin_addr.s_addr;
            }
            bool is_address = ip_bytes_of((const struct sockaddr *)&v4, ret);
            return is_address && !(i == 0 && is_in("0.0.0.0/8", ret));  // ::1 is none of IPv4
        }
    }
    return false;
}

/** What is wrong with the address, or with the IPv4 address in it; NULL: nothing. */
static const char *never_of(const struct ip_bytes *address)
{
    struct ip_bytes inner;
    const struct range *found = find(NEVER, COUNT_OF(NEVER), address);
    if (found == NULL && embedded_of(address, &inner)) {
        found = find(NEVER, COUNT_OF(NEVER), &inner);
    }
    return found == NULL ? NULL : found->what;
}

/** @param is_v6  the socket's family: IPv4 mapped to IPv6 is not global, IPv4 itself may be */
static const char *not_global_of(const struct ip_bytes *address, bool is_v6)
{
    const struct range *found = find(NOT_GLOBAL, COUNT_OF(NOT_GLOBAL), address);
    if (found != NULL) {
        return found->what;
    }
    if (is_v6 && ip_bytes_is_v4(address)) {
        return "an IPv4 address mapped to IPv6";
    }
    return is_v6 && !is_in("2000::/3", address) ? "not a global address" : NULL;
}

static bool is_in_allowed_range(const struct http_policy *p, const struct ip_bytes *address)
{
    for (size_t i = 0; p->allow != NULL && i < p->allow->count; i++) {
        if (is_in(p->allow->items[i], address)) {
            return true;
        }
    }
    return false;
}

static bool has_range(const struct http_policy *p)
{
    for (size_t i = 0; p->allow != NULL && i < p->allow->count; i++) {
        struct ip_network n;
        struct fault f;
        if (ip_network_read(p->allow->items[i], &n, &f)) {
            return true;
        }
    }
    return false;
}

static bool is_allowed_name(const struct http_policy *p, const char *host)
{
    for (size_t i = 0; p->allow != NULL && i < p->allow->count; i++) {
        struct ip_network n;
        struct fault f;
        if (!ip_network_read(p->allow->items[i], &n, &f) && text_glob_match(p->allow->items[i], host)) {
            return true;
        }
    }
    return false;
}

/** Why the address is refused; NULL: it is not. */
static const char *refusal_of(const struct http_policy *p, const char *host, const struct ip_bytes *address,
                              bool is_v6)
{
    if (is_in_allowed_range(p, address)) {
        return NULL;
    }
    const char *why = never_of(address);
    if (why != NULL || is_allowed_name(p, host)) {
        return why;
    }
    switch (p->kind) {
    case HTTP_POLICY_PRIVATE:
        return NULL;
    case HTTP_POLICY_PUBLIC:
        return not_global_of(address, is_v6);
    case HTTP_POLICY_LIST:
        break;
    }
    return "not in endpoint_allow";
}

static const char *name_of(enum http_policy_kind kind)
{
    switch (kind) {
    case HTTP_POLICY_PRIVATE:
        return "private";
    case HTTP_POLICY_PUBLIC:
        return "public";
    case HTTP_POLICY_LIST:
        break;
    }
    return "list";
}

bool http_policy_permits(const struct http_policy *policy, const char *host, const struct sockaddr *address,
                         struct fault *f)
{
    struct ip_bytes bytes;
    if (!ip_bytes_of(address, &bytes)) {
        return fault_set(f, FAULT_RETRY, "%.250s has an address that is neither IPv4 nor IPv6", host);
    }
    bool is_v6 = address->sa_family == AF_INET6;
    const char *why = refusal_of(policy, host, &bytes, is_v6);
    if (why == NULL) {
        return true;
    }
    char text[IP_TEXT_MAX];
    ip_bytes_write(&bytes, text);
    bool is_literal = strcmp(host, text) == 0;
    return fault_from(
        f, FAULT_RETRY, HTTP_POLICY_ORIGIN, 0,
        "endpoint_policy %s refuses %.100s%s%s: %s; if it is meant, name it in endpoint_allow in "
        "millrace.yaml",
        name_of(policy->kind), is_literal ? text : host, is_literal ? "" : ", which is ",
        is_literal ? "" : text, why);
}

/** @param ret_is_address  whether the host is one */
static bool permits_literal(const struct http_policy *policy, const char *name, bool *ret_is_address,
                            struct fault *f)
{
    struct ip_bytes bytes;
    CLEANUP(memory_free_pointer)
    char *host = slice_to_string(slice_make(name, strcspn(name, "%")));  // without a zone
    *ret_is_address = ip_bytes_read(host, &bytes);
    if (!*ret_is_address) {
        return true;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memcpy(&v4.sin_addr, bytes.bytes + 12, sizeof(v4.sin_addr));
    memcpy(&v6.sin6_addr, bytes.bytes, sizeof(v6.sin6_addr));
    bool is_v6 = strchr(host, ':') != NULL;
    const struct sockaddr *address = is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
    return http_policy_permits(policy, host, address, f);
}

bool http_policy_permits_head(const struct http_policy *policy, const struct http_head *head, struct fault *f)
{
    bool is_address;
    if (!permits_literal(policy, head->host, &is_address, f)) {
        return false;
    }
    return is_address || policy->kind != HTTP_POLICY_LIST || has_range(policy) ||
           is_allowed_name(policy, head->host) ||
           fault_from(
               f, FAULT_RETRY, HTTP_POLICY_ORIGIN, 0,
               "endpoint_policy list refuses %.100s: neither its name nor any range of addresses is in "
               "endpoint_allow in millrace.yaml",
               head->host);
}

bool http_policy_permits_unresolved(const struct http_policy *policy, const char *host, struct fault *f)
{
    bool is_address;
    if (!permits_literal(policy, host, &is_address, f)) {
        return false;
    }
    return is_address || policy->kind != HTTP_POLICY_LIST || is_allowed_name(policy, host) ||
           fault_from(
               f, FAULT_RETRY, HTTP_POLICY_ORIGIN, 0,
               "endpoint_policy list refuses %.100s, which the proxy would look up: its name is not in "
               "endpoint_allow in millrace.yaml",
               host);
}
