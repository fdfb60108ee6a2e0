// Ranges of IP addresses, in one form for both families: IPv4 as the IPv6 addresses that it is mapped to.
#ifndef CORE_BASE_IP_NETWORK_H
#define CORE_BASE_IP_NETWORK_H

#include <stdint.h>

#include "core/base/fault.h"

struct sockaddr;

struct ip_bytes {
    uint8_t bytes[16];  // of IPv4: ::ffff:a.b.c.d
};

struct ip_network {
    struct ip_bytes address;
    int bits;  // how many leading ones count; of IPv4 96 and more
};

/** False when it is neither IPv4 nor IPv6. */
bool ip_bytes_of(const struct sockaddr *address, struct ip_bytes *ret);

/** Reads "10.0.0.1", "::1" or "[::1]"; false when it is no address. */
bool ip_bytes_read(const char *text, struct ip_bytes *ret);

/** Whether it is ::ffff:a.b.c.d. */
bool ip_bytes_is_v4(const struct ip_bytes *address);

/**
 * Reads "10.0.0.0/8", "fd00::/8", or an address alone.
 *
 * @param f  FAULT_CONFIG: what is wrong with it, for instance that bits behind the prefix are set
 */
bool ip_network_read(const char *text, struct ip_network *ret, struct fault *f) MUST_USE;

bool ip_network_has(const struct ip_network *network, const struct ip_bytes *address);

enum { IP_TEXT_MAX = 48 };

/** Writes the address as people do: "10.0.0.1", "fe80::1". */
void ip_bytes_write(const struct ip_bytes *address, char ret[IP_TEXT_MAX]);

#endif
