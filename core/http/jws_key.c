#include "core/http/jws_key.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/base/memory.h"

enum {
    RSA_BITS_MIN = 2048,  // RFC 7518, 3.3
    ES256_BITS = 256,
    ES256_PART_BYTES = 32,
    SIGNATURE_MAX = 2048,  // of an RSA key of 16,384 bits
};

struct jws_key {
    EVP_PKEY *pkey;
    enum jws_algorithm algorithm;
};

static const struct {
    const char *name;
    int key_type;
} ALGORITHMS[] = {
    [JWS_BY_KEY] = {NULL, EVP_PKEY_NONE},      [JWS_RS256] = {"RS256", EVP_PKEY_RSA},
    [JWS_PS256] = {"PS256", EVP_PKEY_RSA},     [JWS_ES256] = {"ES256", EVP_PKEY_EC},
    [JWS_EDDSA] = {"EdDSA", EVP_PKEY_ED25519},
};

/** A key with a password is refused: OpenSSL would ask for it on the terminal. */
static int refuse_password(char *buffer, int size, int is_write, void *self)
{
    (void)buffer;
    (void)size;
    (void)is_write;
    *(bool *)self = true;
    return -1;
}

static EVP_PKEY *read_pem(const char *pem, struct fault *f)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    INVARIANT(bio != NULL);
    bool has_password = false;
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, &has_password);
    BIO_free(bio);
    ERR_clear_error();
    if (pkey == NULL) {
        (void)fault_set(f, FAULT_CONFIG, "%s",
                        has_password ? "the private key has a password; remove it: openssl pkey -in FILE"
                                     : "not a private key in PEM (-----BEGIN PRIVATE KEY-----)");
    }
    return pkey;
}

/** Whether the curve is P-256, for which ES256 is. */
static bool is_p256(const EVP_PKEY *pkey)
{
    char name[32];
    size_t size = 0;
    return EVP_PKEY_get_group_name(pkey, name, sizeof(name), &size) == 1 &&
           (strcmp(name, "prime256v1") == 0 || strcmp(name, "P-256") == 0);
}

/** JWS_BY_KEY: none fits. */
static enum jws_algorithm algorithm_of(const EVP_PKEY *pkey)
{
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        return JWS_RS256;
    case EVP_PKEY_EC:
        return is_p256(pkey) ? JWS_ES256 : JWS_BY_KEY;
    case EVP_PKEY_ED25519:
        return JWS_EDDSA;
    default:
        return JWS_BY_KEY;
    }
}

static bool check_key(const EVP_PKEY *pkey, enum jws_algorithm algorithm, struct fault *f)
{
    enum jws_algorithm fits = algorithm_of(pkey);
    if (fits == JWS_BY_KEY) {
        return fault_set(f, FAULT_CONFIG, "the private key is neither RSA nor EC on P-256 nor Ed25519");
    }
    if (algorithm != JWS_BY_KEY && ALGORITHMS[algorithm].key_type != EVP_PKEY_get_base_id(pkey)) {
        return fault_set(f, FAULT_CONFIG, "the private key is not one for %s; it is one for %s",
                         ALGORITHMS[algorithm].name, ALGORITHMS[fits].name);
    }
    if (fits == JWS_RS256 && EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN) {
        return fault_set(f, FAULT_CONFIG, "an RSA key needs %d bits at least", RSA_BITS_MIN);
    }
    return true;
}

bool jws_key_new(const char *pem, enum jws_algorithm algorithm, struct jws_key **ret, struct fault *f)
{
    EVP_PKEY *pkey = read_pem(pem, f);
    if (pkey == NULL) {
        return false;
    }
    if (!check_key(pkey, algorithm, f)) {
        EVP_PKEY_free(pkey);
        return false;
    }
    *ret = memory_new(sizeof(**ret));
    **ret = (struct jws_key){pkey, algorithm == JWS_BY_KEY ? algorithm_of(pkey) : algorithm};
    return true;
}

void jws_key_free(struct jws_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        free(key);
    }
}

const char *jws_key_algorithm(const struct jws_key *key)
{
    return ALGORITHMS[key->algorithm].name;
}

void jws_append_base64url(struct bytes *out, struct slice data)
{
    uint8_t *at = bytes_reserve(out, (data.size + 2) / 3 * 4 + 1);
    size_t size = (size_t)EVP_EncodeBlock(at, data.data, (int)data.size);
    while (size > 0 && at[size - 1] == '=') {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        at[i] = at[i] == '+' ? '-' : at[i] == '/' ? '_' : at[i];
    }
    out->size += size;
}

/** OpenSSL writes an ECDSA signature in DER; in a token it is R and S, 32 bytes each (RFC 7518, 3.4). */
static size_t take_parts(uint8_t *signature, size_t size)
{
    const uint8_t *at = signature;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)size);
    INVARIANT(parts != NULL);
    INVARIANT(BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, ES256_PART_BYTES) == ES256_PART_BYTES);
    uint8_t *second = signature + ES256_PART_BYTES;
    INVARIANT(BN_bn2binpad(ECDSA_SIG_get0_s(parts), second, ES256_PART_BYTES) == ES256_PART_BYTES);
    ECDSA_SIG_free(parts);
    return (size_t)2 * ES256_PART_BYTES;
}

static size_t sign(const struct jws_key *key, struct slice text, uint8_t *ret)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    const EVP_MD *digest = key->algorithm == JWS_EDDSA ? NULL : EVP_sha256();
    INVARIANT(context != NULL && EVP_DigestSignInit(context, &options, digest, NULL, key->pkey) == 1);
    if (key->algorithm == JWS_PS256) {
        INVARIANT(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    size_t size = SIGNATURE_MAX;
    INVARIANT(EVP_DigestSign(context, ret, &size, text.data, text.size) == 1);
    EVP_MD_CTX_free(context);
    return key->algorithm == JWS_ES256 ? take_parts(ret, size) : size;
}

void jws_key_append_token(struct bytes *out, const struct jws_key *key, struct slice header,
                          struct slice claims)
{
    size_t begin = out->size;
    jws_append_base64url(out, header);
    bytes_append_byte(out, '.');
    jws_append_base64url(out, claims);
    uint8_t signature[SIGNATURE_MAX];
    size_t size = sign(key, slice_make(out->data + begin, out->size - begin), signature);
    bytes_append_byte(out, '.');
    jws_append_base64url(out, slice_make(signature, size));
}
