#include "core/http/webhook_signature.h"

#include <inttypes.h>
#include <stdio.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "core/base/memory.h"

enum {
    KEY_MIN = 24,
    KEY_MAX = 64,
    ED25519_KEY = 32,
    ED25519_PAIR = 64,
    ED25519_SIGNATURE = 64,
    ENCODED_MAX = (KEY_MAX + 2) / 3 * 4,
    MESSAGE_BYTES_KEPT = 1 << 20,  // a larger buffer is freed, not reused
    ID_DIGEST_BYTES = SHA256_DIGEST_LENGTH / 2,
};

static const char HEX[] = "0123456789ABCDEF";

struct webhook_key {
    EVP_MAC_CTX *mac;      // has the key of WEBHOOK_HMAC; else NULL
    EVP_PKEY *pkey;        // of WEBHOOK_ED25519; else NULL
    struct bytes message;  // to sign in one piece; reused
};

/** Decodes base64 of at most ENCODED_MAX characters; returns the number of bytes, 0 when it is none. */
static size_t decode(const char *text, uint8_t *ret)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(text);
    size_t digits = strspn(text, ALPHABET);
    size_t padding = strspn(text + digits, "=");
    if (size == 0 || size > ENCODED_MAX || size % 4 != 0 || padding > 2 || digits + padding != size) {
        return 0;
    }
    int decoded = EVP_DecodeBlock(ret, (const uint8_t *)text, (int)size);
    return decoded < 0 ? 0 : (size_t)decoded - padding;
}

static EVP_MAC_CTX *make_mac(const uint8_t *key, size_t size)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    INVARIANT(mac != NULL && EVP_MAC_init(mac, key, size, params) == 1);
    return mac;
}

/** NULL: the public key behind the private one is not its own. */
static EVP_PKEY *make_pkey(const uint8_t *key, size_t size)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY);
    INVARIANT(pkey != NULL);
    uint8_t public[ED25519_KEY];
    size_t public_size = sizeof(public);
    INVARIANT(EVP_PKEY_get_raw_public_key(pkey, public, &public_size) == 1);
    if (size == ED25519_PAIR && memcmp(public, key + ED25519_KEY, sizeof(public)) != 0) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static bool refuse(enum webhook_kind kind, struct fault *f)
{
    if (kind == WEBHOOK_ED25519) {
        return fault_set(f, FAULT_CONFIG,
                         "a private key of Standard Webhooks is whsk_ and the base64 of an Ed25519 key: %d "
                         "bytes, or %d with the public key behind it",
                         ED25519_KEY, ED25519_PAIR);
    }
    return fault_set(f, FAULT_CONFIG,
                     "a secret of Standard Webhooks is whsec_ and the base64 of %d to %d bytes, as "
                     "printed by: echo whsec_$(openssl rand -base64 32)",
                     KEY_MIN, KEY_MAX);
}

bool webhook_key_new(const char *text, enum webhook_kind kind, struct webhook_key **ret, struct fault *f)
{
    const char *prefix = kind == WEBHOOK_HMAC ? "whsec_" : "whsk_";
    uint8_t bytes[ENCODED_MAX];
    bool has_prefix = strncmp(text, prefix, strlen(prefix)) == 0;
    size_t size = has_prefix ? decode(text + strlen(prefix), bytes) : 0;
    struct webhook_key key = {0};
    if (kind == WEBHOOK_HMAC && size >= KEY_MIN && size <= KEY_MAX) {
        key.mac = make_mac(bytes, size);
    } else if (kind == WEBHOOK_ED25519 && (size == ED25519_KEY || size == ED25519_PAIR)) {
        key.pkey = make_pkey(bytes, size);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    if (key.mac == NULL && key.pkey == NULL) {
        return refuse(kind, f);
    }
    *ret = memory_new(sizeof(**ret));
    **ret = key;
    return true;
}

void webhook_key_free(struct webhook_key *key)
{
    if (key != NULL) {
        EVP_MAC_CTX_free(key->mac);
        EVP_PKEY_free(key->pkey);
        bytes_clear(&key->message);
        free(key);
    }
}

static size_t sign_hmac(EVP_MAC_CTX *context, const struct webhook_message *m, struct slice timestamp,
                        uint8_t *ret)
{
    size_t size = 0;
    INVARIANT(EVP_MAC_init(context, NULL, 0, NULL) == 1 &&
              EVP_MAC_update(context, m->id.data, m->id.size) == 1 &&
              EVP_MAC_update(context, timestamp.data, timestamp.size) == 1 &&
              EVP_MAC_update(context, m->body.data, m->body.size) == 1 &&
              EVP_MAC_final(context, ret, &size, SHA256_DIGEST_LENGTH) == 1);
    return size;
}

/** Ed25519 takes a message in one piece only. */
static size_t sign_ed25519(struct webhook_key *key, const struct webhook_message *m, struct slice timestamp,
                           uint8_t *ret)
{
    bytes_reset(&key->message);
    bytes_append_slice(&key->message, m->id);
    bytes_append_slice(&key->message, timestamp);
    bytes_append_slice(&key->message, m->body);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = ED25519_SIGNATURE;
    INVARIANT(context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
              EVP_DigestSign(context, ret, &size, key->message.data, key->message.size) == 1);
    EVP_MD_CTX_free(context);
    if (key->message.capacity > MESSAGE_BYTES_KEPT) {
        bytes_clear(&key->message);
    }
    return size;
}

void webhook_signature_append(struct bytes *out, struct webhook_key *key, const struct webhook_message *m)
{
    char text[32];
    int length = snprintf(text, sizeof(text), ".%" PRId64 ".", m->timestamp_s);
    struct slice timestamp = slice_make(text, (size_t)length);
    uint8_t signature[ED25519_SIGNATURE];
    size_t size = key->mac != NULL ? sign_hmac(key->mac, m, timestamp, signature)
                                   : sign_ed25519(key, m, timestamp, signature);
    bytes_append_string(out, key->mac != NULL ? "v1," : "v1a,");
    uint8_t *at = bytes_reserve(out, (sizeof(signature) + 2) / 3 * 4 + 1);
    out->size += (size_t)EVP_EncodeBlock(at, signature, (int)size);
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '~';
}

void webhook_id_append(struct bytes *out, struct slice id)
{
    uint8_t *at = bytes_reserve(out, id.size * 3);
    const uint8_t *begin = at;
    for (size_t i = 0; i < id.size; i++) {
        uint8_t c = id.data[i];
        if (is_plain(c)) {
            *at++ = c;
            continue;
        }
        *at++ = '%';
        *at++ = (uint8_t)HEX[c >> 4];
        *at++ = (uint8_t)HEX[c & 15];
    }
    out->size += (size_t)(at - begin);
}

void webhook_id_append_digest(struct bytes *out, struct slice body)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    (void)SHA256(body.data, body.size, digest);
    for (size_t i = 0; i < ID_DIGEST_BYTES; i++) {
        bytes_append_byte(out, (uint8_t)HEX[digest[i] >> 4]);
        bytes_append_byte(out, (uint8_t)HEX[digest[i] & 15]);
    }
}
