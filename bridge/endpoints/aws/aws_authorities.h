// The authorities that AWS's tools trust over TLS in place of the system's: the file that AWS_CA_BUNDLE
// names. Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_AUTHORITIES_H
#define BRIDGE_ENDPOINTS_AWS_AWS_AUTHORITIES_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/**
 * Appends the certificates (PEM); nothing when the variable is not set.
 *
 * @param f  FAULT_CONFIG: the file can't be read, or there is no certificate in it
 */
bool aws_authorities_load(struct bytes *ret, struct fault *f) MUST_USE;

#endif
