// core/http/webhook_signature: Standard Webhooks 1.0, against its published vector and OpenSSL's one-shot
// HMAC.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/memory.h"
#include "core/http/webhook_signature.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static struct webhook_key *key_of(const char *secret)
{
    struct webhook_key *key = NULL;
    struct fault f = {0};
    enum webhook_kind kind = strncmp(secret, "whsk_", 5) == 0 ? WEBHOOK_ED25519 : WEBHOOK_HMAC;
    if (!webhook_key_new(secret, kind, &key, &f)) {
        fail_msg("%s", f.text);
    }
    return key;
}

static void check(struct webhook_key *key, const struct webhook_message *m, const char *want)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    webhook_signature_append(&out, key, m);
    assert_string_equal(bytes_text(&out), want);
}

static void the_published_vector_is_signed_alike(void **state)
{
    (void)state;
    struct webhook_key *key = key_of(SECRET);
    const struct webhook_message m = {
        .id = slice_of("msg_p5jXN8AQM9LWM0D4loKWxJek"),
        .timestamp_s = 1614265330,
        .body = slice_of("{\"test\": 2432232314}"),
    };
    for (int i = 0; i < 2; i++) {  // the key is used again
        check(key, &m, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
    webhook_key_free(key);
}

/** Keys and bodies of all sizes; the secret is made by encoding the key. */
static void every_key_signs_as_hmac_does(void **state)
{
    (void)state;
    for (int size = 24; size <= 64; size++) {
        uint8_t bytes[64];
        char secret[128] = "whsec_";
        char body[200];
        for (int i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(size * 37 + i * 11);
        }
        memset(body, 'b', sizeof(body));
        (void)EVP_EncodeBlock((uint8_t *)secret + 6, bytes, size);
        CLEANUP(memory_free_pointer) char *text = memory_format("id-%d.17.%.*s", size, size * 3, body);
        uint8_t mac[EVP_MAX_MD_SIZE];
        unsigned mac_size = 0;
        char want[96] = "v1,";
        assert_non_null(HMAC(EVP_sha256(), bytes, size, (const uint8_t *)text, strlen(text), mac, &mac_size));
        (void)EVP_EncodeBlock((uint8_t *)want + 3, mac, (int)mac_size);
        struct webhook_key *key = key_of(secret);
        CLEANUP(memory_free_pointer) char *id = memory_format("id-%d", size);
        check(key, &(struct webhook_message){slice_of(id), 17, slice_make(body, (size_t)size * 3)}, want);
        webhook_key_free(key);
    }
}

static void a_secret_of_another_form_is_refused_without_repeating_it(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",          // no prefix
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",     // cut off
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",    // 22 bytes
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS=",    // 23 bytes
        "whsec_MfKQ9r8GKYqrTwj-PD8ILPZIo2LaLaSw",    // base64url
        "whsec_MfKQ9r8GKYqrTwjUPD8I=PZIo2LaLaSw",    // padding inside
        "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",   // a space
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",  // a line end
        "whsec_"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",  // 65
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct webhook_key *key = NULL;
        struct fault f = {0};
        assert_false(webhook_key_new(BAD[i], WEBHOOK_HMAC, &key, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        assert_null(strstr(f.text, "MfKQ"));
    }
}

/** The key of RFC 8037, A.1, with the public key behind it and without; the signature was made by Python's
 * cryptography. */
static void ed25519_keys_of_both_forms_sign_alike(void **state)
{
    (void)state;
    static const char *const KEYS[] = {
        "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
        "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==",
    };
    const struct webhook_message m = {
        .id = slice_of("msg_p5jXN8AQM9LWM0D4loKWxJek"),
        .timestamp_s = 1614265330,
        .body = slice_of("{\"test\": 2432232314}"),
    };
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        struct webhook_key *key = key_of(KEYS[i]);
        for (int k = 0; k < 2; k++) {  // the key is used again
            check(key, &m,
                  "v1a,"
                  "fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw==");
        }
        webhook_key_free(key);
    }
}

static void an_ed25519_key_of_another_form_is_refused_without_repeating_it(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "whsk_",
        "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
        "whsec_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
        "whpk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
        "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyufw==",  // 31 bytes
        // The public key is another one's.
        "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DYWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct webhook_key *key = NULL;
        struct fault f = {0};
        assert_false(webhook_key_new(BAD[i], WEBHOOK_ED25519, &key, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        assert_null(strstr(f.text, "nWGx"));
    }
}

/** The id is signed in front of a '.', and sent as a header. */
static void an_id_has_no_dot_and_nothing_that_a_header_can_t_have(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    webhook_id_append(&out, slice_of("0000000000000010-0000000A"));
    assert_string_equal(bytes_text(&out), "0000000000000010-0000000A");
    bytes_reset(&out);
    webhook_id_append(&out, slice_of("shop.public.a_b-0-17\r\n\xc3\xa9%"));
    assert_string_equal(bytes_text(&out), "shop%2Epublic%2Ea_b-0-17%0D%0A%C3%A9%25");
    bytes_reset(&out);
    webhook_id_append_digest(&out, slice_of("abc"));  // FIPS 180-4's example
    assert_string_equal(bytes_text(&out), "BA7816BF8F01CFEA414140DE5DAE2223");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vector_is_signed_alike),
        cmocka_unit_test(every_key_signs_as_hmac_does),
        cmocka_unit_test(a_secret_of_another_form_is_refused_without_repeating_it),
        cmocka_unit_test(ed25519_keys_of_both_forms_sign_alike),
        cmocka_unit_test(an_ed25519_key_of_another_form_is_refused_without_repeating_it),
        cmocka_unit_test(an_id_has_no_dot_and_nothing_that_a_header_can_t_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
