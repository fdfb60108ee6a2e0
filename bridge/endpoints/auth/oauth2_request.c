#include "bridge/endpoints/auth/oauth2_request.h"

#include <inttypes.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/base/clock.h"

enum {
    ASSERTION_LIFE_S = 240,  // Auth0 takes five minutes at most
    ASSERTION_ID_BYTES = 16,
};

void oauth2_request_encode(struct bytes *out, const char *text)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (const char *c = text; *c != '\0'; c++) {
        uint8_t byte = (uint8_t)*c;
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (is_letter || (byte >= '0' && byte <= '9') || strchr("*-._", byte) != NULL) {
            bytes_append_byte(out, byte);
        } else if (byte == ' ') {
            bytes_append_byte(out, '+');
        } else {
            bytes_append_byte(out, '%');
            bytes_append_byte(out, (uint8_t)HEX[byte >> 4]);
            bytes_append_byte(out, (uint8_t)HEX[byte & 15]);
        }
    }
}

static void append_parameter(struct bytes *form, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }
    if (form->size > 0) {
        bytes_append_byte(form, '&');
    }
    oauth2_request_encode(form, name);
    bytes_append_byte(form, '=');
    oauth2_request_encode(form, value);
}

/** RFC 6749, 2.3.1: both are encoded as in a form first. */
static void append_basic(const struct oauth2_config *config, struct bytes *lines)
{
    struct bytes pair CLEANUP(bytes_wipe) = {.is_secret = true};
    oauth2_request_encode(&pair, config->client_id);
    bytes_append_byte(&pair, ':');
    oauth2_request_encode(&pair, config->client_secret);
    bytes_append_string(lines, "Authorization: Basic ");
    uint8_t *at = bytes_reserve(lines, (pair.size + 2) / 3 * 4 + 1);
    lines->size += (size_t)EVP_EncodeBlock(at, pair.data, (int)pair.size);
}

static void append_member(struct bytes *json, const char *name, const char *value)
{
    bytes_format(json, "%c\"%s\":", json->size == 0 ? '{' : ',', name);
    text_append_json(json, slice_of(value));
}

/** RFC 7523, 3. Its id is used once. */
static void write_claims(const struct oauth2_config *config, int64_t now_s, struct bytes *claims)
{
    const char *audience =
        config->assertion.audience != NULL ? config->assertion.audience : config->token_url;
    uint8_t id[ASSERTION_ID_BYTES];
    INVARIANT(RAND_bytes(id, sizeof(id)) == 1);
    append_member(claims, "iss", config->client_id);
    append_member(claims, "sub", config->client_id);
    append_member(claims, "aud", audience);
    bytes_append_string(claims, ",\"jti\":\"");
    jws_append_base64url(claims, slice_make(id, sizeof(id)));
    bytes_format(claims, "\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}", now_s, now_s + ASSERTION_LIFE_S);
}

static void append_assertion(const struct oauth2_config *config, const struct jws_key *key, int64_t wall_us,
                             struct bytes *form)
{
    CLEANUP(bytes_clear) struct bytes header = {0};
    CLEANUP(bytes_clear) struct bytes claims = {0};
    CLEANUP(bytes_wipe) struct bytes token = {.is_secret = true};
    append_member(&header, "alg", jws_key_algorithm(key));
    append_member(&header, "typ", "JWT");
    if (config->assertion.key_id != NULL) {
        append_member(&header, "kid", config->assertion.key_id);
    }
    bytes_append_byte(&header, '}');
    write_claims(config, wall_us / CLOCK_US_PER_S, &claims);
    jws_key_append_token(&token, key, bytes_slice(&header), bytes_slice(&claims));
    append_parameter(form, "client_id", config->client_id);
    append_parameter(form, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    append_parameter(form, "client_assertion", bytes_text(&token));
}

void oauth2_request_write(const struct oauth2_config *config, const struct jws_key *key, int64_t wall_us,
                          struct bytes *form, struct bytes *lines)
{
    append_parameter(form, "grant_type", "client_credentials");
    append_parameter(form, "scope", config->scope);
    append_parameter(form, "audience", config->audience);
    for (size_t i = 0; i < config->parameters.count; i++) {
        append_parameter(form, config->parameters.items[i].key, config->parameters.items[i].value);
    }
    if (key != NULL) {
        append_assertion(config, key, wall_us, form);
    } else if (config->client_auth == OAUTH2_BASIC) {
        append_basic(config, lines);
    } else {
        append_parameter(form, "client_id", config->client_id);
        append_parameter(form, "client_secret", config->client_secret);
    }
}
