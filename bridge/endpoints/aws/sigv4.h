// Signatures of AWS requests, Signature Version 4, in the headers; for all services but S3, whose paths are
// encoded once only.
//
//   canonical     METHOD \n PATH \n QUERY \n (NAME:VALUE\n)* \n NAMES \n HEX(SHA256(BODY))
//   to be signed  AWS4-HMAC-SHA256 \n 20150830T123600Z \n 20150830/REGION/SERVICE/aws4_request \n
//                 HEX(SHA256(canonical))
//   key           HMAC(HMAC(HMAC(HMAC("AWS4" SECRET, 20150830), REGION), SERVICE), "aws4_request")
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#ifndef BRIDGE_ENDPOINTS_AWS_SIGV4_H
#define BRIDGE_ENDPOINTS_AWS_SIGV4_H

#include "core/base/bytes.h"

/** Signs for one region and service. Keeps the derived key of the day, and its buffers. */
struct sigv4;

/** Lent for the call. */
struct sigv4_keys {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token;  // NULL: long-lived keys
};

struct sigv4_header {
    struct slice name;
    struct slice value;
};

/** Lent for the call. */
struct sigv4_request {
    const char *method;
    struct slice target;                 // path and query as they are sent, without a fragment
    const struct sigv4_header *headers;  // those to sign, `host` among them; a name may occur several times
    size_t header_count;
    struct slice body;
    int64_t wall_us;  // now, as AWS has it
};

struct sigv4 *sigv4_new(const char *region, const char *service);

/** Overwrites the derived key and all that was signed. Accepts NULL. */
void sigv4_free(struct sigv4 *s);

/**
 * Appends the header lines X-Amz-Date, X-Amz-Security-Token (with a session token) and Authorization, joined
 * by CR LF to each other and to what is there.
 *
 * A query is signed by what its parameters say: they are decoded (a '+' is a plus sign) and encoded again.
 */
void sigv4_sign(struct sigv4 *s, const struct sigv4_keys *keys, const struct sigv4_request *request,
                struct bytes *lines);

#endif
