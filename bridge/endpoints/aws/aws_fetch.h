// Gets the keys that a plan says: asks the container's endpoint or the instance's metadata service, or runs
// the profile's program, then assumes roles of STS, one after the other.
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_FETCH_H
#define BRIDGE_ENDPOINTS_AWS_AWS_FETCH_H

#include <uv.h>

#include "bridge/endpoints/aws/aws_plan.h"

struct aws_fetch;

/** @param keys  may be taken over; empty with a fault */
typedef void (*aws_on_keys)(void *self, struct aws_keys *keys, const struct fault *f);

struct aws_fetch_params {
    struct aws_plan *plan;  // is taken over, also on failure
    const char *region;     // whose STS is asked
    const char *sts_url;
    aws_on_keys on_keys;  // called later on the loop, once, unless cancelled; the fetch is freed then
    void *self;
};

/**
 * Starts it. These addresses are no function's URL, so no endpoint policy counts.
 *
 * @param params  lent for the call
 * @param f       a token can't be read, a URL is invalid, or a program can't be started
 */
bool aws_fetch_start(uv_loop_t *loop, const struct aws_fetch_params *params, struct aws_fetch **ret,
                     struct fault *f) MUST_USE;

/** on_keys is not called. Accepts NULL. */
void aws_fetch_cancel(struct aws_fetch *x);

#endif
