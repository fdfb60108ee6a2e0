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
    ENCODED_MAX = (KEY_MAX + 2) / 3 * 4,
    ID_DIGEST_BYTES = SHA256_DIGEST_LENGTH / 2,
};

static const char HEX[] = "0123456789ABCDEF";

struct webhook_key {
    EVP_MAC_CTX *mac;  // has the key
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

bool webhook_key_new(const char *secret, struct webhook_key **ret, struct fault *f)
{
    static const char PREFIX[] = "whsec_";
    uint8_t bytes[ENCODED_MAX];
    bool has_prefix = strncmp(secret, PREFIX, sizeof(PREFIX) - 1) == 0;
    size_t size = has_prefix ? decode(secret + sizeof(PREFIX) - 1, bytes) : 0;
    bool is_good = size >= KEY_MIN && size <= KEY_MAX;
    if (is_good) {
        *ret = memory_new(sizeof(**ret));
        (*ret)->mac = make_mac(bytes, size);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return is_good ||
           fault_set(f, FAULT_CONFIG,
                     "a secret of Standard Webhooks is whsec_ and the base64 of %d to %d bytes, as "
                     "printed by: echo whsec_$(openssl rand -base64 32)",
                     KEY_MIN, KEY_MAX);
}

void webhook_key_free(struct webhook_key *key)
{
    if (key != NULL) {
        EVP_MAC_CTX_free(key->mac);
        free(key);
    }
}

void webhook_signature_append(struct bytes *out, struct webhook_key *key, const struct webhook_message *m)
{
    char timestamp[32];
    int length = snprintf(timestamp, sizeof(timestamp), ".%" PRId64 ".", m->timestamp_s);
    uint8_t mac[SHA256_DIGEST_LENGTH];
    size_t size = 0;
    INVARIANT(EVP_MAC_init(key->mac, NULL, 0, NULL) == 1 &&
              EVP_MAC_update(key->mac, m->id.data, m->id.size) == 1 &&
              EVP_MAC_update(key->mac, (const uint8_t *)timestamp, (size_t)length) == 1 &&
              EVP_MAC_update(key->mac, m->body.data, m->body.size) == 1 &&
              EVP_MAC_final(key->mac, mac, &size, sizeof(mac)) == 1);
    bytes_append_string(out, "v1,");
    uint8_t *at = bytes_reserve(out, (sizeof(mac) + 2) / 3 * 4 + 1);
    out->size += (size_t)EVP_EncodeBlock(at, mac, (int)size);
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
