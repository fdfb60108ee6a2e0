// What is sent to STS for a role's keys.
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_STS_H
#define BRIDGE_ENDPOINTS_AWS_AWS_STS_H

#include "bridge/endpoints/aws/aws_plan.h"

/**
 * Appends the form of AssumeRole, which is to be signed, or of AssumeRoleWithWebIdentity, which is not.
 *
 * @param f  FAULT_CONFIG: the web identity's token can't be read
 */
bool aws_sts_write(const struct aws_role *role, struct bytes *form, struct fault *f) MUST_USE;

#endif
