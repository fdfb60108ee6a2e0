// Regions, and the hosts of services in them.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_REGION_H
#define BRIDGE_ENDPOINTS_AWS_AWS_REGION_H

#include "bridge/config/aws_config.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

/**
 * The region: that of the function's file, else the one named with the function (in its ARN or URL), else
 * AWS_REGION, AWS_DEFAULT_REGION, and the profile's.
 *
 * @param named  size 0: it names none
 * @param ret    the caller frees it
 * @param f      FAULT_CONFIG: there is none, or the shared files can't be read
 */
bool aws_region_find(const struct aws_config *config, struct slice named, char **ret,
                     struct fault *f) MUST_USE;

/** The region of an ARN, or of a partial one; size 0: it has none. Lent. */
struct slice aws_region_of_arn(const char *arn);

/** The region of a URL of AWS, such as https://ID.lambda-url.REGION.on.aws/; size 0: it has none. Lent. */
struct slice aws_region_of_url(const char *url);

/**
 * The URL of a service: that of AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL or the profile's endpoint_url,
 * else https://SERVICE.REGION. and the domain of the region's partition.
 *
 * @param ret  the caller frees it
 * @param f    FAULT_CONFIG: the shared files can't be read, or what they or the variable name is no URL
 */
bool aws_region_endpoint(const struct aws_config *config, const char *service, const char *region, char **ret,
                         struct fault *f) MUST_USE;

#endif
