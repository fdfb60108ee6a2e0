// Signatures of Standard Webhooks 1.0 over ID.TIMESTAMP.BODY: with a shared secret (`v1`, HMAC-SHA256), or
// with a private key (`v1a`, Ed25519).
#ifndef CORE_HTTP_WEBHOOK_SIGNATURE_H
#define CORE_HTTP_WEBHOOK_SIGNATURE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct webhook_key;

enum webhook_kind {
    WEBHOOK_HMAC,     // `whsec_` and the base64 of 24 to 64 bytes
    WEBHOOK_ED25519,  // `whsk_` and the base64 of a private key, 32 bytes, or 64 with the public key behind
                      // it
};

/** @param f  FAULT_CONFIG: not such a key; the text repeats nothing of it */
bool webhook_key_new(const char *text, enum webhook_kind kind, struct webhook_key **ret,
                     struct fault *f) MUST_USE;

/** Overwrites the key. Accepts NULL. */
void webhook_key_free(struct webhook_key *key);

/** What is signed. Borrowed. */
struct webhook_message {
    struct slice id;  // as it is sent, without '.'
    int64_t timestamp_s;
    struct slice body;
};

/** Appends `v1,` or `v1a,` and the signature in base64. The id may lie in `out`. */
void webhook_signature_append(struct bytes *out, struct webhook_key *key, const struct webhook_message *m);

/** Appends an id as a header's value without '.': all but letters, digits, '-', '_' and '~' as %XX. */
void webhook_id_append(struct bytes *out, struct slice id);

/** Appends an id for a body that has none: the first half of its SHA-256, in hexadecimal. */
void webhook_id_append_digest(struct bytes *out, struct slice body);

#endif
