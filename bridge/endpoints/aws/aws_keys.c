#include "bridge/endpoints/aws/aws_keys.h"

#include <jansson.h>

#include <openssl/crypto.h>

#include "bridge/config/start_position.h"
#include "core/base/text.h"

enum { MESSAGE_MAX = 200 };

void aws_keys_set(struct aws_keys *k, const char *access_key_id, const char *secret_access_key,
                  const char *session_token, int64_t expires_wall_us)
{
    bool has_token = session_token != NULL && session_token[0] != '\0';
    const struct aws_keys made = {
        .access_key_id = memory_string(access_key_id),
        .secret_access_key = memory_string(secret_access_key),
        .session_token = has_token ? memory_string(session_token) : NULL,
        .expires_wall_us = expires_wall_us,
    };
    aws_keys_clear(k);
    *k = made;
}

void aws_keys_clear(struct aws_keys *k)
{
    memory_free_secret(k->access_key_id);
    memory_free_secret(k->secret_access_key);
    memory_free_secret(k->session_token);
    *k = (struct aws_keys){0};
}

/** They become header lines and signatures: printable, without blanks. */
static bool is_key(const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

/** Takes over what was read, if it is complete. */
static bool set_read(struct aws_keys *k, const char *id, const char *secret, const char *token,
                     const char *expiration, struct fault *f)
{
    int64_t expires_ms = 0;
    if (!is_key(id) || !is_key(secret)) {
        return fault_set(f, FAULT_RETRY, "the response has no AccessKeyId and SecretAccessKey");
    }
    if (token != NULL && token[0] != '\0' && !is_key(token)) {
        return fault_set(f, FAULT_RETRY, "the response's session token has blanks or line ends in it");
    }
    if (expiration != NULL && !start_position_parse_time(expiration, &expires_ms)) {
        return fault_set(f, FAULT_RETRY, "the response's Expiration is no RFC 3339 timestamp: \"%.40s\"",
                         expiration);
    }
    aws_keys_set(k, id, secret, token, expiration == NULL ? AWS_KEYS_FOR_EVER : expires_ms * 1000);
    return true;
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void wipe(json_t *object)
{
    static const char *const SECRETS[] = {"AccessKeyId", "SecretAccessKey", "Token", "SessionToken"};
    for (size_t i = 0; i < COUNT_OF(SECRETS); i++) {
        json_t *value = json_object_get(object, SECRETS[i]);
        if (json_is_string(value)) {
            OPENSSL_cleanse((char *)(uintptr_t)json_string_value(value), json_string_length(value));
        }
    }
    json_decref(object);
}

/** @param token  the name of the session token */
static bool read_object(struct aws_keys *k, const json_t *object, const char *token, struct fault *f)
{
    const char *code = member(object, "Code");
    const char *message = member(object, "Message");
    if (member(object, "AccessKeyId") == NULL && (code != NULL || message != NULL)) {
        return fault_set(f, FAULT_RETRY, "%.60s%s%.*s", code == NULL ? "" : code,
                         code != NULL && message != NULL ? ": " : "", MESSAGE_MAX,
                         message == NULL ? "" : message);
    }
    return set_read(k, member(object, "AccessKeyId"), member(object, "SecretAccessKey"),
                    member(object, token), member(object, "Expiration"), f);
}

bool aws_keys_read_json(struct aws_keys *k, struct slice text, struct fault *f)
{
    json_t *object = json_loadb((const char *)text.data, text.size, 0, NULL);
    bool is_read = json_is_object(object) ? read_object(k, object, "Token", f)
                                          : fault_set(f, FAULT_RETRY, "the response is no JSON object");
    wipe(object);
    return is_read;
}

bool aws_keys_read_process(struct aws_keys *k, struct slice text, struct fault *f)
{
    json_t *object = json_loadb((const char *)text.data, text.size, 0, NULL);
    bool is_read;
    if (!json_is_object(object)) {
        is_read = fault_set(f, FAULT_RETRY, "the output of credential_process is no JSON object");
    } else if (json_integer_value(json_object_get(object, "Version")) != 1) {
        is_read = fault_set(f, FAULT_RETRY, "the output of credential_process has no \"Version\": 1");
    } else {
        is_read = read_object(k, object, "SessionToken", f);
    }
    wipe(object);
    return is_read;
}

struct slice aws_xml_text(struct slice text, const char *name)
{
    CLEANUP(memory_free_pointer) char *opening = memory_format("<%s>", name);
    size_t size = strlen(opening);
    const uint8_t *at = text.size == 0 ? NULL : memmem(text.data, text.size, opening, size);
    if (at == NULL) {
        return (struct slice){NULL, 0};
    }
    at += size;
    size_t left = text.size - (size_t)(at - text.data);
    const uint8_t *end = memchr(at, '<', left);
    return end == NULL ? (struct slice){NULL, 0} : slice_make(at, (size_t)(end - at));
}

static char *xml_string(struct slice text, const char *name)
{
    struct slice found = aws_xml_text(text, name);
    return found.size == 0 ? NULL : slice_to_string(found);
}

bool aws_keys_read_xml(struct aws_keys *k, struct slice text, struct fault *f)
{
    CLEANUP(memory_free_secret_pointer) char *id = xml_string(text, "AccessKeyId");
    CLEANUP(memory_free_secret_pointer) char *secret = xml_string(text, "SecretAccessKey");
    CLEANUP(memory_free_secret_pointer) char *token = xml_string(text, "SessionToken");
    CLEANUP(memory_free_secret_pointer) char *expiration = xml_string(text, "Expiration");
    return set_read(k, id, secret, token, expiration, f);
}
