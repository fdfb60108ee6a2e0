// The endpoint that gives a container its credentials: on ECS by a relative URI, on EKS (Pod Identity) by a
// full one with a token.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_CONTAINER_H
#define BRIDGE_ENDPOINTS_AWS_AWS_CONTAINER_H

#include "core/base/fault.h"

/**
 * What the environment says of it.
 *
 * @param ret_authorization  the header's value; NULL: none
 * @param f                  FAULT_CONFIG: the URL is of a host that may not have the token, or the token's
 *                           file can't be read; FAULT_NONE with false: the environment names no endpoint
 */
bool aws_container_find(char **ret_url, char **ret_authorization, struct fault *f) MUST_USE;

#endif
