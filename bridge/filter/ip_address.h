// IP addresses and ranges of them, as event-ruler reads them.
#ifndef BRIDGE_FILTER_IP_ADDRESS_H
#define BRIDGE_FILTER_IP_ADDRESS_H

#include "core/base/bytes.h"

struct ip_address {
    uint8_t bytes[16];
    uint8_t size;  // 4 or 16
};

/** An address and how many of its leading bits count. */
struct ip_range {
    struct ip_address address;
    uint8_t bits;
};

/**
 * Reads "10.0.0.1" or IPv6 in hexadecimal groups; false when it is no address. An IPv4 address mapped to IPv6
 * ("::ffff:a00:1") is read as the IPv4 address. Brackets, zones and IPv6 that ends in "a.b.c.d" are no
 * address.
 */
bool ip_address_read(struct slice text, struct ip_address *ret);

/** Reads ADDRESS/BITS; NULL, or what is wrong with it. As in event-ruler a range has more than one address.
 */
const char *ip_address_read_range(struct slice text, struct ip_range *ret);

bool ip_address_is_in(const struct ip_address *address, const struct ip_range *range);

#endif
