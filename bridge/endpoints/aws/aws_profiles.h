// The shared files of AWS's tools: ~/.aws/config and ~/.aws/credentials, or those that AWS_CONFIG_FILE and
// AWS_SHARED_CREDENTIALS_FILE name.
//
//   config                        credentials
//   [default]                     [default]
//   region = eu-central-1         aws_access_key_id = …
//   [profile shop]                [shop]
//   role_arn = arn:aws:iam::…     aws_access_key_id = …
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_PROFILES_H
#define BRIDGE_ENDPOINTS_AWS_AWS_PROFILES_H

#include "core/base/fault.h"
#include "core/base/text.h"

struct aws_profile {
    char *name;
    struct text_pairs values;  // keys in lower case
};

/** Zero-initialised has none. */
struct aws_profiles {
    struct aws_profile *items;
    size_t count;
};

/** Reads both files; one that does not exist is empty, and what the credentials file says counts more.
 * FAULT_CONFIG: a file can't be read. */
bool aws_profiles_load(struct aws_profiles *p, struct fault *f) MUST_USE;

/** The path of config or of credentials; the caller frees it. */
char *aws_profiles_config_path(void);
char *aws_profiles_credentials_path(void);

/** NULL: there is none of this name. */
const struct aws_profile *aws_profiles_find(const struct aws_profiles *p, const char *name);

/** NULL: it has no such key, or an empty value. Accepts NULL. */
const char *aws_profile_get(const struct aws_profile *profile, const char *key);

/** Overwrites all values. */
void aws_profiles_clear(struct aws_profiles *p);

/** The profile that is used when none is named: AWS_PROFILE, or `default`. */
const char *aws_profiles_default(void);

/** A variable of the environment; NULL when it is not set or empty. */
const char *aws_variable(const char *name);

#endif
