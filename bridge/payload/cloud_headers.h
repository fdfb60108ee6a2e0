// The attributes of a CloudEvent that lies on Kafka in binary mode: headers `ce_<name>`.
// Source: CloudEvents Kafka Protocol Binding 1.0.2, 3.2.
#ifndef BRIDGE_PAYLOAD_CLOUD_HEADERS_H
#define BRIDGE_PAYLOAD_CLOUD_HEADERS_H

#include "bridge/intake/record.h"

/** One attribute; borrowed from the record. */
struct cloud_header {
    struct slice name;  // without `ce_`
    struct slice value;
};

/** The event's id, else the record's. */
struct slice cloud_headers_id(const struct record *r);

/**
 * The next attribute, except specversion, id and datacontenttype. Of headers with one name the last counts;
 * those that are no attribute (a name other than a-z and 0-9, no value, bytes that are not UTF-8) are left
 * out.
 *
 * @param at  0 for the first; changed
 */
bool cloud_headers_next(const struct record *r, size_t *at, struct cloud_header *ret);

bool cloud_headers_has(const struct record *r, const char *name);

#endif
