#include "bridge/config/auth_options.h"

#include "bridge/config/aws_options.h"
#include "bridge/config/header_rules.h"
#include "bridge/config/oauth2_options.h"
#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/http/webhook_signature.h"

static bool check_bearer(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    if (!header_value_is_printable(value) || strpbrk(value, " \t") != NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "a token must consist of visible ASCII characters, without spaces and line ends");
    }
    return true;
}

/** RFC 7617, 2: UTF-8 without control characters; the name ends at the first colon. */
static bool check_basic(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return fault_set(f, FAULT_CONFIG, "must not contain control characters or line ends");
        }
    }
    return text_is_utf8(slice_of(value)) || fault_set(f, FAULT_CONFIG, "must be UTF-8");
}

static bool check_user(const struct config_file *file, const char *value, struct fault *f)
{
    if (strchr(value, ':') != NULL) {
        return fault_set(f, FAULT_CONFIG, "a user's name must not contain ':'");
    }
    return check_basic(file, value, f);
}

static bool check_header_name(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return header_rules.check_pair(value, "", f) == CONFIG_GOOD;
}

static bool check_header_value(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return header_value_is_printable(value) ||
           fault_set(f, FAULT_CONFIG,
                     "a header value must consist of printable ASCII characters, without line ends");
}

static bool check_webhook_key(const char *value, enum webhook_kind kind, struct fault *f)
{
    struct webhook_key *key = NULL;
    bool is_good = webhook_key_new(value, kind, &key, f);
    webhook_key_free(key);
    return is_good;
}

static bool check_webhook_secret(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return check_webhook_key(value, WEBHOOK_HMAC, f);
}

static bool check_webhook_private_key(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return check_webhook_key(value, WEBHOOK_ED25519, f);
}

static const struct config_rules bearer_rules = {.check = check_bearer};
static const struct config_rules user_rules = {.check = check_user};
static const struct config_rules password_rules = {.check = check_basic};
static const struct config_rules header_name_rules = {.check = check_header_name};
static const struct config_rules header_value_rules = {.check = check_header_value};
static const struct config_rules secret_rules = {.check = check_webhook_secret};
static const struct config_rules private_key_rules = {.check = check_webhook_private_key};

#define AT(member) .offset = offsetof(struct function_config, http.auth.member)

static const struct config_option basic_options[] = {
    {.key = "user",
     .type = CONFIG_TEXT,
     .is_required = true,
     AT(basic.user),
     .rules = &user_rules,
     .doc = "Name; it must not contain a colon."},
    {.key = "password",
     .type = CONFIG_SECRET,
     .is_required = true,
     AT(basic.password),
     .rules = &password_rules,
     .doc = "Password; both are sent in UTF-8."},
    {.key = NULL},
};

static const struct config_option api_key_options[] = {
    {.key = "header",
     .type = CONFIG_TEXT,
     .is_required = true,
     AT(api_key.header),
     .rules = &header_name_rules,
     .doc = "Name of the header, such as `x-api-key` or `x-functions-key`."},
    {.key = "value",
     .type = CONFIG_SECRET,
     .is_required = true,
     AT(api_key.value),
     .rules = &header_value_rules,
     .doc = "The key."},
    {.key = NULL},
};

static const struct config_option webhook_options[] = {
    {.key = "secret",
     .type = CONFIG_SECRET,
     AT(webhooks.secret),
     .rules = &secret_rules,
     .doc = "Signs with HMAC-SHA256 (`v1`): `whsec_` and the base64 of 24 to 64 bytes."},
    {.key = "previous_secret",
     .type = CONFIG_SECRET,
     AT(webhooks.previous_secret),
     .rules = &secret_rules,
     .doc = "Signs too, until the receiver knows the new secret."},
    {.key = "private_key",
     .type = CONFIG_SECRET,
     AT(webhooks.private_key),
     .rules = &private_key_rules,
     .doc = "Signs with Ed25519 (`v1a`): `whsk_` and the base64 of the private key, 32 bytes, or 64 with the "
            "public key behind it."},
    {.key = "previous_private_key",
     .type = CONFIG_SECRET,
     AT(webhooks.previous_private_key),
     .rules = &private_key_rules,
     .doc = "Signs too, until the receiver knows the new public key."},
    {.key = NULL},
};

static const struct config_option aws_options[] = {
    {.key = "region",
     .type = CONFIG_TEXT,
     AT(aws.keys.region),
     .rules = &aws_region_rules,
     .otherwise = "that of the URL, AWS_REGION or the profile",
     .doc = "The region to sign for."},
    {.key = "service",
     .type = CONFIG_TEXT,
     .otherwise = "lambda",
     AT(aws.service),
     .rules = &aws_service_rules,
     .doc = "The service to sign for: lambda for function URLs, execute-api for API Gateway."},
    AWS_KEYS_OPTIONS(offsetof(struct function_config, http.auth.aws.keys)),
    {.key = NULL},
};

const struct config_option auth_options[] = {
    {.key = "bearer",
     .type = CONFIG_SECRET,
     AT(bearer),
     .rules = &bearer_rules,
     .doc = "Token for `Authorization: Bearer`."},
    {.key = "basic",
     .type = CONFIG_SECTION,
     .section = basic_options,
     .doc = "Name and password for `Authorization: Basic`."},
    {.key = "api_key",
     .type = CONFIG_SECTION,
     .section = api_key_options,
     .doc = "A key in a header of its own."},
    {.key = "oauth2",
     .type = CONFIG_SECTION,
     .section = oauth2_options,
     .doc = "OAuth 2.0 client credentials: a token from a token endpoint, renewed before it expires "
            "([credentials.md](credentials.md#oauth-20))."},
    {.key = "standard_webhooks",
     .type = CONFIG_SECTION,
     .section = webhook_options,
     .doc = "Signs each request as Standard Webhooks 1.0 says."},
    {.key = "aws",
     .type = CONFIG_SECTION,
     .section = aws_options,
     .doc = "Signs each request with AWS credentials (SigV4), for function URLs with IAM "
            "([lambda.md](lambda.md#function-urls))."},
    {.key = NULL},
};

static struct yaml_node *auth_node(const struct config_file *file)
{
    struct yaml_node *node = yaml_get(file->root, "endpoint");
    static const char *const PATH[] = {"http", "auth"};
    for (size_t i = 0; i < COUNT_OF(PATH) && node != NULL; i++) {
        node = node->kind == YAML_MAP ? yaml_get(node, PATH[i]) : NULL;
    }
    return node != NULL && node->kind == YAML_MAP ? node : NULL;
}

/** The kinds that set the header Authorization, of which a request has one. */
static const char *const AUTHORIZATIONS[] = {"bearer", "basic", "oauth2", "aws"};

static void check_kinds(const struct config_file *file)
{
    struct yaml_node *node = auth_node(file);
    if (node == NULL || node->is_bad) {
        return;
    }
    const char *first = NULL;
    for (size_t i = 0; i < COUNT_OF(AUTHORIZATIONS); i++) {
        struct yaml_node *kind = yaml_get(node, AUTHORIZATIONS[i]);
        if (kind != NULL && first != NULL) {
            config_complain_at(file, kind, "%s: %s sets the header Authorization too; keep one of them",
                               AUTHORIZATIONS[i], first);
        }
        first = kind != NULL && first == NULL ? AUTHORIZATIONS[i] : first;
    }
    if (node->count == 0) {
        config_complain_at(file, node,
                           "auth: choose bearer, basic, api_key, oauth2, standard_webhooks or aws");
    }
}

/** A header that the credentials set, too. */
static void refuse_header(const struct config_file *file, const struct function_config *c, const char *name,
                          const char *key)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("endpoint.http.auth.%s", key);
    for (size_t i = 0; i < c->http.headers.count; i++) {
        if (strcasecmp(c->http.headers.items[i].key, name) == 0) {
            config_complain(file, path, "%s: the header %s is set too; keep one of them", key, name);
        }
    }
}

static void refuse_headers(const struct config_file *file, const struct function_config *c)
{
    static const char *const SIGNED[] = {"webhook-id", "webhook-timestamp", "webhook-signature"};
    const struct auth_config *auth = &c->http.auth;
    const struct {
        const char *key;
        bool is_set;
    } kinds[] = {{"bearer", auth->bearer != NULL},
                 {"basic", auth->basic.user != NULL},
                 {"oauth2", auth->oauth2.token_url != NULL},
                 {"aws", auth->aws.is_set}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].is_set) {
            refuse_header(file, c, "authorization", kinds[i].key);
        }
    }
    bool is_signed = auth->webhooks.secret != NULL || auth->webhooks.private_key != NULL;
    for (size_t i = 0; is_signed && i < COUNT_OF(SIGNED); i++) {
        refuse_header(file, c, SIGNED[i], "standard_webhooks");
    }
    if (auth->api_key.header != NULL) {
        refuse_header(file, c, auth->api_key.header, "api_key");
    }
}

/** The header of api_key must not be one that other credentials set. */
static void check_api_key(const struct config_file *file, const struct function_config *c)
{
    static const char *const TAKEN[] = {"authorization", "webhook-id", "webhook-timestamp",
                                        "webhook-signature"};
    for (size_t i = 0; c->http.auth.api_key.header != NULL && i < COUNT_OF(TAKEN); i++) {
        if (strcasecmp(c->http.auth.api_key.header, TAKEN[i]) == 0) {
            config_complain(file, "endpoint.http.auth.api_key.header",
                            "header: %s is set by other credentials; use %s", TAKEN[i],
                            i == 0 ? "bearer or basic" : "standard_webhooks");
        }
    }
}

static void check_webhooks(const struct config_file *file, const struct function_config *c)
{
    struct yaml_node *node = auth_node(file);
    node = node == NULL ? NULL : yaml_get(node, "standard_webhooks");
    if (node == NULL || node->kind != YAML_MAP || node->is_bad) {
        return;
    }
    if (yaml_get(node, "secret") == NULL && yaml_get(node, "private_key") == NULL) {
        config_complain_at(file, node, "standard_webhooks: choose secret or private_key, or both");
    }
    if (c->http.auth.webhooks.previous_secret != NULL && yaml_get(node, "secret") == NULL) {
        config_complain(file, "endpoint.http.auth.standard_webhooks.previous_secret",
                        "previous_secret: has a meaning only with secret");
    }
    if (c->http.auth.webhooks.previous_private_key != NULL && yaml_get(node, "private_key") == NULL) {
        config_complain(file, "endpoint.http.auth.standard_webhooks.previous_private_key",
                        "previous_private_key: has a meaning only with private_key");
    }
}

static void check_aws(const struct config_file *file, struct function_config *c)
{
    struct yaml_node *node = auth_node(file);
    c->http.auth.aws.is_set = node != NULL && yaml_get(node, "aws") != NULL;
    if (c->http.auth.aws.is_set) {
        c->http.auth.aws.service =
            c->http.auth.aws.service == NULL ? memory_string("lambda") : c->http.auth.aws.service;
        aws_options_finish(file, &c->http.auth.aws.keys, "endpoint.http.auth.aws");
    }
    const char *query = c->http.url == NULL ? NULL : strchr(c->http.url, '?');
    if (c->http.auth.aws.is_set && query != NULL && strchr(query, '+') != NULL) {
        config_complain(
            file, "endpoint.http.url",
            "url: with auth.aws write a space in the query as %%20 and a plus sign as %%2B: what a + "
            "means in a signature is not defined");
    }
}

void auth_options_finish(const struct config_file *file, struct function_config *c)
{
    check_aws(file, c);
    check_kinds(file);
    check_api_key(file, c);
    check_webhooks(file, c);
    oauth2_options_finish(file, c);
    refuse_headers(file, c);
}
