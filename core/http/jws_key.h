// Private keys that sign JSON Web Tokens (RFC 7515, RFC 7518, RFC 8037).
#ifndef CORE_HTTP_JWS_KEY_H
#define CORE_HTTP_JWS_KEY_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

enum jws_algorithm {
    JWS_BY_KEY,  // RS256, ES256 or EdDSA, whichever the key is made for
    JWS_RS256,
    JWS_PS256,
    JWS_ES256,
    JWS_EDDSA,
};

struct jws_key;

/**
 * Reads a private key.
 *
 * @param pem  without a password: PKCS#8, or the older forms of RSA and EC keys
 * @param f    FAULT_CONFIG: no such key, or not one for this algorithm; repeats nothing of it
 */
bool jws_key_new(const char *pem, enum jws_algorithm algorithm, struct jws_key **ret,
                 struct fault *f) MUST_USE;

/** Overwrites the key. Accepts NULL. */
void jws_key_free(struct jws_key *key);

/** "RS256", "PS256", "ES256" or "EdDSA". */
const char *jws_key_algorithm(const struct jws_key *key);

/** Appends a token in the compact form: header, claims and signature, each in base64url, joined by dots. */
void jws_key_append_token(struct bytes *out, const struct jws_key *key, struct slice header,
                          struct slice claims);

/** Appends the bytes in base64url without padding (RFC 7515, 2). */
void jws_append_base64url(struct bytes *out, struct slice data);

#endif
