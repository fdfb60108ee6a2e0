// The section `auth` of an HTTP endpoint, as a struct: the credentials of its requests.
#ifndef BRIDGE_CONFIG_AUTH_CONFIG_H
#define BRIDGE_CONFIG_AUTH_CONFIG_H

#include "bridge/config/aws_config.h"
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/http/http_client_params.h"
#include "core/http/jws_key.h"

/** How a client proves who it is to a token endpoint by its secret (RFC 6749, 2.3.1). */
enum oauth2_client_auth { OAUTH2_BASIC, OAUTH2_FORM };

struct proxy_config {
    char *url;  // NULL: no proxy
    char *user;
    char *password;
};

/** OAuth 2.0 client credentials. */
struct oauth2_config {
    char *token_url;  // NULL: none
    char *client_id;
    char *client_secret;                  // NULL: the client signs an assertion, or is public
    enum oauth2_client_auth client_auth;  // with client_secret
    struct {
        char *key;  // PEM; NULL: none
        char *key_id;
        enum jws_algorithm algorithm;
        char *audience;  // NULL: token_url
    } assertion;
    char *audience;
    char *scope;
    struct text_pairs parameters;
    int64_t timeout_us;
    struct config_text ca;  // path NULL: the system's authorities are trusted
    struct proxy_config proxy;
};

/** Zero-initialised: none. */
struct auth_config {
    char *bearer;  // token
    struct {
        char *user;  // NULL: none
        char *password;
    } basic;
    struct {
        char *header;  // NULL: none
        char *value;
    } api_key;
    struct oauth2_config oauth2;
    struct {
        char *secret;
        char *previous_secret;
        char *private_key;
        char *previous_private_key;
    } webhooks;
    struct {
        bool is_set;
        char *service;
        struct aws_config keys;
    } aws;  // signatures of AWS
};

/** Overwrites what is secret. */
void auth_config_clear(struct auth_config *c);

/** A copy of its own; oauth2_config_clear releases it. */
struct oauth2_config oauth2_config_copy(const struct oauth2_config *c);
bool oauth2_config_is_same(const struct oauth2_config *a, const struct oauth2_config *b);
/** How the token endpoint is called; lent as long as the configuration. Without a policy. */
struct http_client_params oauth2_config_http_params(const struct oauth2_config *c);
void oauth2_config_clear(struct oauth2_config *c);

#endif
