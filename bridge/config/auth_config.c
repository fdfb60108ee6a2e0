#include "bridge/config/auth_config.h"

#include "core/base/memory.h"

/** The texts of a struct oauth2_config, in any order. */
enum { OAUTH2_TEXTS = 13 };

static void list_texts(struct oauth2_config *c, char **ret[OAUTH2_TEXTS])
{
    char **const texts[OAUTH2_TEXTS] = {
        &c->token_url,          &c->client_id,  &c->client_secret,  &c->assertion.key, &c->assertion.key_id,
        &c->assertion.audience, &c->audience,   &c->scope,          &c->ca.path,       &c->ca.text,
        &c->proxy.url,          &c->proxy.user, &c->proxy.password,
    };
    memcpy(ret, texts, sizeof(texts));
}

struct oauth2_config oauth2_config_copy(const struct oauth2_config *c)
{
    struct oauth2_config copy = *c;
    char **texts[OAUTH2_TEXTS];
    list_texts(&copy, texts);
    for (size_t i = 0; i < OAUTH2_TEXTS; i++) {
        *texts[i] = *texts[i] == NULL ? NULL : memory_string(*texts[i]);
    }
    copy.parameters = (struct text_pairs){0};
    for (size_t i = 0; i < c->parameters.count; i++) {
        text_pairs_set_secret(&copy.parameters, c->parameters.items[i].key, c->parameters.items[i].value);
    }
    return copy;
}

bool oauth2_config_is_same(const struct oauth2_config *a, const struct oauth2_config *b)
{
    struct oauth2_config left = *a;
    struct oauth2_config right = *b;
    char **left_texts[OAUTH2_TEXTS];
    char **right_texts[OAUTH2_TEXTS];
    list_texts(&left, left_texts);
    list_texts(&right, right_texts);
    bool is_same = a->client_auth == b->client_auth && a->assertion.algorithm == b->assertion.algorithm &&
                   a->timeout_us == b->timeout_us && text_pairs_is_same(&a->parameters, &b->parameters);
    for (size_t i = 0; i < OAUTH2_TEXTS && is_same; i++) {
        is_same = text_is_same(*left_texts[i], *right_texts[i]);
    }
    return is_same;
}

struct http_client_params oauth2_config_http_params(const struct oauth2_config *c)
{
    return (struct http_client_params){
        .connections_max = 1,
        .tls = {.ca = c->ca.text},
        .proxy = {c->proxy.url, c->proxy.user, c->proxy.password},
    };
}

void oauth2_config_clear(struct oauth2_config *c)
{
    char **texts[OAUTH2_TEXTS];
    list_texts(c, texts);
    for (size_t i = 0; i < OAUTH2_TEXTS; i++) {
        memory_free_secret(*texts[i]);
    }
    text_pairs_clear(&c->parameters);
    *c = (struct oauth2_config){0};
}

void auth_config_clear(struct auth_config *c)
{
    char *const texts[] = {
        c->bearer,
        c->basic.user,
        c->basic.password,
        c->api_key.header,
        c->api_key.value,
        c->webhooks.secret,
        c->webhooks.previous_secret,
        c->webhooks.private_key,
        c->webhooks.previous_private_key,
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        memory_free_secret(texts[i]);
    }
    oauth2_config_clear(&c->oauth2);
    free(c->aws.service);
    aws_config_clear(&c->aws.keys);
    *c = (struct auth_config){0};
}
