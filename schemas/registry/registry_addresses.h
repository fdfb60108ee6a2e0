// The addresses of one external registry: which is asked first, and which ask to be left alone for a while.
#ifndef SCHEMAS_REGISTRY_REGISTRY_ADDRESSES_H
#define SCHEMAS_REGISTRY_REGISTRY_ADDRESSES_H

#include <stdint.h>

#include "core/base/fault.h"

/** A longer Retry-After counts as this: the registry may be well long before. */
#define REGISTRY_ADDRESSES_QUIET_MAX_US (INT64_C(300) * 1000000)

struct registry_address {
    char *url;         // without '/' at the end
    int64_t quiet_us;  // no request is sent before; monotonic
    struct fault why;  // the response that asked for it
};

/** Zero-initialised is empty. */
struct registry_addresses {
    struct registry_address *items;
    size_t count;
    size_t current;  // the one that responded last
};

/** Adds the address without '/' at its end. */
void registry_addresses_add(struct registry_addresses *a, const char *url);

/** The address asks for no request within this time (Retry-After), as `why` says, which is copied. */
void registry_addresses_quiet(struct registry_addresses *a, size_t at, int64_t wait_us,
                              const struct fault *why);

/** Whether the address may be asked now. */
bool registry_addresses_is_free(const struct registry_addresses *a, size_t at);

void registry_addresses_clear(struct registry_addresses *a);

#endif
