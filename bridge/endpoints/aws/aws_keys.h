// Keys that sign requests to AWS, and when they expire.
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_KEYS_H
#define BRIDGE_ENDPOINTS_AWS_AWS_KEYS_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

#define AWS_KEYS_FOR_EVER INT64_MAX

/** Owned secrets. Zero-initialised has none. */
struct aws_keys {
    char *access_key_id;  // NULL: there are no keys
    char *secret_access_key;
    char *session_token;      // NULL: long-lived keys
    int64_t expires_wall_us;  // AWS_KEYS_FOR_EVER: never
};

/** Replaces the keys by copies; an empty or missing session token is none. */
void aws_keys_set(struct aws_keys *k, const char *access_key_id, const char *secret_access_key,
                  const char *session_token, int64_t expires_wall_us);

/** Overwrites and frees them. */
void aws_keys_clear(struct aws_keys *k);

/**
 * Reads the JSON that the container endpoint and IMDS give: AccessKeyId, SecretAccessKey, Token, Expiration.
 *
 * @param f  FAULT_RETRY: no such object, or it says Code and Message of an error; repeats no secret
 */
bool aws_keys_read_json(struct aws_keys *k, struct slice text, struct fault *f) MUST_USE;

/** As aws_keys_read_json, from what a credential_process writes: the token is SessionToken, and Version is 1.
 */
bool aws_keys_read_process(struct aws_keys *k, struct slice text, struct fault *f) MUST_USE;

/** As aws_keys_read_json, from the XML of STS: AssumeRole and AssumeRoleWithWebIdentity. */
bool aws_keys_read_xml(struct aws_keys *k, struct slice text, struct fault *f) MUST_USE;

/** The text of the first element of this name, as it is written; size 0: there is none. */
struct slice aws_xml_text(struct slice text, const char *name);

#endif
