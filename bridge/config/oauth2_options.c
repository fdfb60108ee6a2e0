#include "bridge/config/oauth2_options.h"

#include "bridge/config/transport_options.h"
#include "core/base/memory.h"
#include "core/config/config_value.h"

#define AT(member) .offset = offsetof(struct function_config, http.auth.oauth2.member)

/** Whatever the option is: a file's trailing line end is removed, others are a mistake. */
static bool check_line(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return fault_set(f, FAULT_CONFIG, "must not contain control characters or line ends");
        }
    }
    return true;
}

static bool check_key(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct jws_key *key = NULL;
    bool is_good = jws_key_new(value, JWS_BY_KEY, &key, f);
    jws_key_free(key);
    return is_good;
}

static enum config_verdict check_parameter(const char *name, const char *value, struct fault *f)
{
    static const char *const OWN[] = {
        "grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type",
        "scope",      "audience"};
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (strcmp(name, OWN[i]) == 0) {
            (void)fault_set(f, FAULT_CONFIG, "\"%s\" can't be set here: %s", OWN[i],
                            i < 1 || (i > 2 && i < 5) ? "millrace sets it" : "it is an option of oauth2");
            return CONFIG_BAD_KEY;
        }
    }
    return value != NULL ? CONFIG_GOOD : CONFIG_BAD_VALUE;
}

static bool is_secret_parameter(const char *name)
{
    return strstr(name, "secret") != NULL || strstr(name, "password") != NULL ||
           strstr(name, "assertion") != NULL;
}

static bool is_shown_parameter(const char *name)
{
    return strcmp(name, "resource") == 0 || strcmp(name, "organization") == 0;
}

static const struct config_choice client_auths[] = {
    {"basic", OAUTH2_BASIC},
    {"form", OAUTH2_FORM},
    {NULL, 0},
};

static const struct config_choice algorithms[] = {
    {"by-key", JWS_BY_KEY}, {"RS256", JWS_RS256}, {"PS256", JWS_PS256},
    {"ES256", JWS_ES256},   {"EdDSA", JWS_EDDSA}, {NULL, 0},
};

static const struct config_rules url_rules = {.check = config_value_check_url,
                                              .redact = config_value_redact_url};
static const struct config_rules line_rules = {.check = check_line};
static const struct config_rules key_rules = {.check = check_key};
static const struct config_rules parameter_rules = {
    .check_pair = check_parameter,
    .is_secret = is_secret_parameter,
    .is_shown = is_shown_parameter,
};

static const struct config_option assertion_options[] = {
    {.key = "key",
     .type = CONFIG_SECRET,
     .is_required = true,
     AT(assertion.key),
     .rules = &key_rules,
     .doc = "Private key in PEM, without a password: RSA of 2,048 bits or more, EC on P-256, or Ed25519."},
    {.key = "key_id",
     .type = CONFIG_TEXT,
     AT(assertion.key_id),
     .rules = &line_rules,
     .doc = "Name under which the server has the public key (`kid`)."},
    {.key = "algorithm",
     .type = CONFIG_CHOICE,
     .choices = algorithms,
     .initial = "by-key",
     AT(assertion.algorithm),
     .doc = "Algorithm of the signature; `by-key` is RS256, ES256 or EdDSA."},
    {.key = "audience",
     .type = CONFIG_TEXT,
     .otherwise = "`token_url`",
     AT(assertion.audience),
     .rules = &line_rules,
     .doc = "For whom the assertion is (`aud`); Auth0 wants `https://TENANT/`."},
    {.key = NULL},
};

static const struct config_option tls_options[] = {
    TRANSPORT_CA_OPTION(offsetof(struct function_config, http.auth.oauth2.ca)), {.key = NULL}};
static const struct config_option proxy_options[] = {
    TRANSPORT_PROXY_OPTIONS(offsetof(struct function_config, http.auth.oauth2.proxy)), {.key = NULL}};

const struct config_option oauth2_options[] = {
    {.key = "token_url",
     .type = CONFIG_TEXT,
     .is_required = true,
     AT(token_url),
     .rules = &url_rules,
     .doc = "The token endpoint."},
    {.key = "client_id",
     .type = CONFIG_TEXT,
     .is_required = true,
     AT(client_id),
     .rules = &line_rules,
     .doc = "Name of this client."},
    {.key = "client_secret",
     .type = CONFIG_SECRET,
     AT(client_secret),
     .rules = &line_rules,
     .doc = "The client's secret."},
    {.key = "client_auth",
     .type = CONFIG_CHOICE,
     .choices = client_auths,
     .initial = "basic",
     AT(client_auth),
     .doc = "How the secret is sent: in the header Authorization (basic), or in the body (form)."},
    {.key = "private_key_jwt",
     .type = CONFIG_SECTION,
     .section = assertion_options,
     .doc = "The client signs an assertion instead of sending a secret (RFC 7523)."},
    {.key = "scope",
     .type = CONFIG_TEXT,
     AT(scope),
     .rules = &line_rules,
     .doc = "Scopes to ask for, separated by blanks."},
    {.key = "audience",
     .type = CONFIG_TEXT,
     AT(audience),
     .rules = &line_rules,
     .doc = "For which API the token is: Auth0's `audience`. Where it is called `resource` (RFC 8707), use "
            "`parameters`."},
    {.key = "parameters",
     .type = CONFIG_PAIRS,
     AT(parameters),
     .rules = &parameter_rules,
     .doc = "Further parameters of the token request; a value may be a secret."},
    {.key = "timeout",
     .type = CONFIG_DURATION,
     .initial = "10s",
     AT(timeout_us),
     .min = 100000,
     .max = INT64_C(300) * 1000000,
     .doc = "How long a token request may take."},
    {.key = "tls",
     .type = CONFIG_SECTION,
     .section = tls_options,
     .doc = "What is trusted over TLS by the token request."},
    {.key = "proxy",
     .type = CONFIG_SECTION,
     .section = proxy_options,
     .doc = "A proxy that opens a tunnel to the token endpoint."},
    {.key = NULL},
};

/** Checks the key against the algorithm, each of which is valid. */
static void check_assertion(const struct config_file *file, const struct oauth2_config *c)
{
    struct fault f;
    struct jws_key *key = NULL;
    if (c->assertion.key != NULL && !jws_key_new(c->assertion.key, c->assertion.algorithm, &key, &f)) {
        config_complain(file, "endpoint.http.auth.oauth2.private_key_jwt.algorithm", "algorithm: %s", f.text);
    }
    jws_key_free(key);
}

void oauth2_options_finish(const struct config_file *file, const struct function_config *c)
{
    static const char PATH[] = "endpoint.http.auth.oauth2";
    const struct oauth2_config *oauth2 = &c->http.auth.oauth2;
    const struct yaml_node *node = config_node(file, PATH);
    if (oauth2->token_url == NULL || node == NULL || node->kind != YAML_MAP) {
        return;
    }
    bool has_secret = yaml_get(node, "client_secret") != NULL;
    bool has_key = yaml_get(node, "private_key_jwt") != NULL;
    if (has_secret == has_key) {
        config_complain(file, PATH, "oauth2: %s",
                        has_secret ? "it has both client_secret and private_key_jwt; keep one of them"
                                   : "choose client_secret or private_key_jwt");
    }
    if (!has_secret && yaml_get(node, "client_auth") != NULL) {
        config_complain(file, "endpoint.http.auth.oauth2.client_auth",
                        "client_auth: has a meaning only with client_secret");
    }
    check_assertion(file, oauth2);
    transport_options_check_authorities(file, "endpoint.http.auth.oauth2.tls.ca", oauth2->ca.text);
    transport_options_check_proxy(file, "endpoint.http.auth.oauth2.proxy", oauth2->proxy.user,
                                  oauth2->proxy.password);
}
