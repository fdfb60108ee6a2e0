// Where credentials come from, decided anew at each renewal from the function's file, the environment and
// the shared files, in the order of AWS's SDKs:
//
//   1. keys in the function's file               4. the profile (AWS_PROFILE, else `default`)
//   2. AWS_ACCESS_KEY_ID …                        5. the container's endpoint (ECS, EKS)
//   3. AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN  6. the instance's metadata service (IMDSv2)
//
// A profile that the function's file names counts alone. The first one that is set up is used; when it fails,
// the next ones are not tried.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_PLAN_H
#define BRIDGE_ENDPOINTS_AWS_AWS_PLAN_H

#include "bridge/config/aws_config.h"
#include "bridge/endpoints/aws/aws_keys.h"

enum aws_origin {
    AWS_ORIGIN_KEYS,
    AWS_ORIGIN_WEB_IDENTITY,
    AWS_ORIGIN_CONTAINER,
    AWS_ORIGIN_INSTANCE,
    AWS_ORIGIN_PROCESS,
};

/** A role to assume, of STS. */
struct aws_role {
    char *arn;
    char *session_name;
    char *external_id;   // NULL: none
    char *token_file;    // of a web identity; NULL: AssumeRole, signed with the keys before it
    int64_t duration_s;  // 0: the default of STS
};

enum { AWS_PLAN_ROLES_MAX = 5 };

/** Zero-initialised may be cleared. */
struct aws_plan {
    enum aws_origin origin;
    char *place;                                // where that is said, for messages
    struct aws_keys keys;                       // KEYS
    char *url;                                  // CONTAINER, INSTANCE
    char *authorization;                        // CONTAINER: the header's value; NULL: none
    char *command;                              // PROCESS
    struct aws_role identity;                   // WEB_IDENTITY
    struct aws_role roles[AWS_PLAN_ROLES_MAX];  // to be assumed one after the other
    size_t role_count;
    bool is_fixed;  // it can't say anything else as long as this process runs
};

/** @param f  FAULT_CONFIG: what is missing or wrong, and where */
bool aws_plan_make(const struct aws_config *config, struct aws_plan *ret, struct fault *f) MUST_USE;

/** Overwrites all secrets. */
void aws_plan_clear(struct aws_plan *plan);

#endif
