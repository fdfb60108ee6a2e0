// core/http/jws_key: tokens against the published vectors of RFC 7515 and RFC 8037, whose keys are in
// tests/golden/jws, and against OpenSSL's verification.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/config/config_file.h"
#include "core/http/jws_key.h"

#define CLAIMS "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
#define CLAIMS_TEXT                                                                                          \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static const char *read_pem(const char *name, struct bytes *text)
{
    struct fault f = {0};
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/jws/%s.pem", MILLRACE_GOLDEN_DIR, name);
    if (!config_file_load(path, 1 << 16, text, NULL, &f)) {
        fail_msg("%s", f.text);
    }
    return bytes_text(text);
}

static struct jws_key *key_of(const char *name, enum jws_algorithm algorithm)
{
    CLEANUP(bytes_clear) struct bytes pem = {0};
    struct jws_key *key = NULL;
    struct fault f = {0};
    if (!jws_key_new(read_pem(name, &pem), algorithm, &key, &f)) {
        fail_msg("%s", f.text);
    }
    return key;
}

static void check_token(const char *name, const char *header, const char *claims, const char *want)
{
    struct jws_key *key = key_of(name, JWS_BY_KEY);
    CLEANUP(bytes_clear) struct bytes out = {0};
    jws_key_append_token(&out, key, slice_of(header), slice_of(claims));
    assert_string_equal(bytes_text(&out), want);
    jws_key_free(key);
}

/** Their signatures have nothing random. */
static void rsa_and_ed25519_sign_as_the_rfcs_say(void **state)
{
    (void)state;
    check_token("rfc7515_a2_rsa", "{\"alg\":\"RS256\"}", CLAIMS,
                "eyJhbGciOiJSUzI1NiJ9." CLAIMS_TEXT "."
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
                "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
                "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
                "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
    check_token("rfc8037_a1_ed25519", "{\"alg\":\"EdDSA\"}", "Example of Ed25519 signing",
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

/** Decodes the signature behind the last dot; returns its size. */
static size_t signature_of(struct bytes *token, size_t *ret_signed_size, uint8_t *ret)
{
    const char *text = bytes_text(token);
    const char *dot = strrchr(text, '.');
    *ret_signed_size = (size_t)(dot - text);
    char padded[1024];
    size_t size = strlen(dot + 1);
    assert_true(size + 4 < sizeof(padded));
    for (size_t i = 0; i < size; i++) {
        padded[i] = dot[1 + i] == '-' ? '+' : dot[1 + i] == '_' ? '/' : dot[1 + i];
    }
    size_t padding = (4 - size % 4) % 4;
    memset(padded + size, '=', padding);
    int decoded = EVP_DecodeBlock(ret, (const uint8_t *)padded, (int)(size + padding));
    assert_true(decoded > 0);
    return (size_t)decoded - padding;
}

static EVP_PKEY *pkey_of(const char *name)
{
    CLEANUP(bytes_clear) struct bytes pem = {0};
    BIO *bio = BIO_new_mem_buf(read_pem(name, &pem), -1);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(pkey);
    return pkey;
}

static bool verify(EVP_PKEY *pkey, bool is_pss, struct slice text, struct slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    assert_int_equal(EVP_DigestVerifyInit(context, &options, EVP_sha256(), NULL, pkey), 1);
    if (is_pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32), 1);
    }
    bool ret = EVP_DigestVerify(context, signature.data, signature.size, text.data, text.size) == 1;
    EVP_MD_CTX_free(context);
    return ret;
}

/** R and S of RFC 7515's example, 32 bytes each, as OpenSSL reads them. */
static size_t to_der(const uint8_t *parts, uint8_t *ret)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    assert_int_equal(ECDSA_SIG_set0(signature, BN_bin2bn(parts, 32, NULL), BN_bin2bn(parts + 32, 32, NULL)),
                     1);
    int size = i2d_ECDSA_SIG(signature, &ret);
    ECDSA_SIG_free(signature);
    assert_true(size > 0);
    return (size_t)size;
}

/** Often enough that some R or S begins with a zero byte. */
static void an_ec_key_s_signatures_are_64_bytes_and_verified(void **state)
{
    (void)state;
    struct jws_key *key = key_of("rfc7515_a3_ec", JWS_ES256);
    EVP_PKEY *pkey = pkey_of("rfc7515_a3_ec");
    assert_string_equal(jws_key_algorithm(key), "ES256");
    for (int i = 0; i < 600; i++) {
        CLEANUP(bytes_clear) struct bytes out = {0};
        uint8_t signature[1024];
        uint8_t der[128];
        size_t signed_size;
        jws_key_append_token(&out, key, slice_of("{\"alg\":\"ES256\"}"), slice_of(CLAIMS));
        assert_int_equal(signature_of(&out, &signed_size, signature), 64);
        size_t size = to_der(signature, der);
        assert_true(verify(pkey, false, slice_make(out.data, signed_size), slice_make(der, size)));
    }
    EVP_PKEY_free(pkey);
    jws_key_free(key);
}

static void ps256_is_verified_with_a_salt_as_long_as_the_digest(void **state)
{
    (void)state;
    struct jws_key *key = key_of("rfc7515_a2_rsa", JWS_PS256);
    EVP_PKEY *pkey = pkey_of("rfc7515_a2_rsa");
    CLEANUP(bytes_clear) struct bytes out = {0};
    uint8_t signature[1024];
    size_t signed_size;
    assert_string_equal(jws_key_algorithm(key), "PS256");
    jws_key_append_token(&out, key, slice_of("{\"alg\":\"PS256\"}"), slice_of(CLAIMS));
    size_t size = signature_of(&out, &signed_size, signature);
    assert_true(verify(pkey, true, slice_make(out.data, signed_size), slice_make(signature, size)));
    assert_false(verify(pkey, false, slice_make(out.data, signed_size), slice_make(signature, size)));
    EVP_PKEY_free(pkey);
    jws_key_free(key);
}

#define P384                                                                                                 \
    "-----BEGIN PRIVATE KEY-----\n"                                                                          \
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBqyU8H+pP0iBfCbtcx\n"                                     \
    "eoqTKYMK4bR1jabOLhdHskUsujq7bFGdfMwoKaD+lDglFqOhZANiAASpp0eF2cyi\n"                                     \
    "5FE+Tq1ATCOQXOH6pE04EJYmdBZtph11+fk8PlF5T9R2WYYPXZUCgKFV7785xyEQ\n"                                     \
    "FEApAXrQt2y8yaOKIhjCvbKUK83QwdXCmXD9x4tErLkofxZn3rHSyac=\n"                                             \
    "-----END PRIVATE KEY-----\n"
#define RSA_512                                                                                              \
    "-----BEGIN RSA PRIVATE KEY-----\n"                                                                      \
    "MIIBOgIBAAJBAMzyZ6A/rl1b+Ukm3GTC27G1TJsR8hvcF4475dvsUht4k6m0xMR9\n"                                     \
    "L+rMl7ACix93PjkoVcrfNy6LVcUxfQ/UekUCAwEAAQJAKT3OZIzsBZVwgKv1RcGA\n"                                     \
    "fC5DkCD4W2rawqCDDNJtY2Fvpx4blPBBuzesabWalAZYrM1PcLp1IOhNRAR6SdTE\n"                                     \
    "MQIhAPp+gARVh4hOscsZO2H5pGqSJYP4YsuspYecas6w/DR/AiEA0XOdrVnXyWVq\n"                                     \
    "FVEXDaEbpTyE8z+K03z6asQI8kQnHzsCIQCypg1/CdDDcfxzMOedFIIiT2DaIgez\n"                                     \
    "4smbUf8Kskbs2QIgB6KUS95rjE7jGBXVpkyKKnLTUd6uG9mBc2TkApjTaEMCIAUP\n"                                     \
    "jI3YYukMD4n+LA10ss4ainqhZEc4+JwrNebk2xD/\n"                                                             \
    "-----END RSA PRIVATE KEY-----\n"
#define ENCRYPTED                                                                                            \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                                \
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgJ25yqJZVSnAICCAAw\n"                                     \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEA5jPqXpvlgiOOOg1qh3DYcEQNTU\n"                                     \
    "/U8DQIxMHo4O6ZOt2gpybg/eX0YQbj0A1L/pBov2Z1xakZayo1zv69jg4THDyMsb\n"                                     \
    "LFiKeoknk/NWOVwxY2s=\n"                                                                                 \
    "-----END ENCRYPTED PRIVATE KEY-----\n"
#define ED25519                                                                                              \
    "-----BEGIN PRIVATE KEY-----\n"                                                                          \
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                                     \
    "-----END PRIVATE KEY-----\n"

static void other_keys_are_refused_with_a_reason_that_repeats_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *pem;
        enum jws_algorithm algorithm;
        const char *why;
    } cases[] = {
        {"", JWS_BY_KEY, "not a private key in PEM"},
        {"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v", JWS_BY_KEY, "not a private key in PEM"},
        {"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v\n-----END PRIVATE KEY-----\n", JWS_BY_KEY,
         "not a private key in PEM"},
        {ENCRYPTED, JWS_BY_KEY, "has a password"},
        {P384, JWS_BY_KEY, "neither RSA nor EC on P-256 nor Ed25519"},
        {P384, JWS_ES256, "neither RSA nor EC on P-256 nor Ed25519"},
        {RSA_512, JWS_RS256, "needs 2048 bits at least"},
        {ED25519, JWS_RS256, "not one for RS256; it is one for EdDSA"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct jws_key *key = NULL;
        struct fault f = {0};
        assert_false(jws_key_new(cases[i].pem, cases[i].algorithm, &key, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        assert_non_null(strstr(f.text, cases[i].why));
        assert_null(strstr(f.text, "MC4C"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_and_ed25519_sign_as_the_rfcs_say),
        cmocka_unit_test(an_ec_key_s_signatures_are_64_bytes_and_verified),
        cmocka_unit_test(ps256_is_verified_with_a_salt_as_long_as_the_digest),
        cmocka_unit_test(other_keys_are_refused_with_a_reason_that_repeats_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
