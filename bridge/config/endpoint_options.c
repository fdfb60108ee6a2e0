#include "bridge/config/endpoint_options.h"

#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/http/webhook_signature.h"

static bool is_printable(const char *value)
{
    for (; *value != '\0'; value++) {
        if (((unsigned char)*value < 0x20 && *value != '\t') || (unsigned char)*value >= 0x7f) {
            return false;
        }
    }
    return true;
}

static bool check_bearer(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    if (!is_printable(value) || strpbrk(value, " \t") != NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "a token must consist of visible ASCII characters, without spaces and line ends");
    }
    return true;
}

static bool check_webhook_secret(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct webhook_key *key = NULL;
    bool is_good = webhook_key_new(value, &key, f);
    webhook_key_free(key);
    return is_good;
}

// Headers that frame the body or describe the event: millrace sets them.
static bool is_own_header(const char *name)
{
    static const char *const own[] = {"content-length", "content-type", "transfer-encoding", "connection",
                                      "expect"};
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        if (strcasecmp(own[i], name) == 0) {
            return true;
        }
    }
    return strncasecmp(name, "ce-", 3) == 0;
}

static enum config_verdict check_header(const char *name, const char *value, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(name, &quoted);
    // RFC 9110, 5.6.2: a token.
    size_t length =
        strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (length == 0 || name[length] != '\0') {
        (void)fault_set(f, FAULT_CONFIG, "%s is not a valid header name", bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    if (is_own_header(name)) {
        (void)fault_set(f, FAULT_CONFIG, "%s can't be set: millrace sets it", bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    if (value != NULL && !is_printable(value)) {
        (void)fault_set(f, FAULT_CONFIG,
                        "a header value must consist of printable ASCII characters, without line ends");
        return CONFIG_BAD_VALUE;
    }
    return CONFIG_GOOD;
}

static bool is_secret_header(const char *name)
{
    static const char *const secrets[] = {"authorization", "proxy-authorization", "cookie",      "x-api-key",
                                          "api-key",       "x-functions-key",     "x-auth-token"};
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        if (strcasecmp(secrets[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/** Values of all other headers may be keys, because services choose their own header names. */
static bool is_shown_header(const char *name)
{
    static const char *const shown[] = {"accept", "accept-language", "content-type", "user-agent",
                                        "x-request-source"};
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        if (strcasecmp(shown[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct config_rules url_rules = {.check = config_value_check_url,
                                              .redact = config_value_redact_url};
static const struct config_rules bearer_rules = {.check = check_bearer};
static const struct config_rules webhook_rules = {.check = check_webhook_secret};
static const struct config_rules headers_rules = {
    .check_pair = check_header,
    .is_secret = is_secret_header,
    .is_shown = is_shown_header,
};

static const struct config_option webhook_options[] = {
    {.key = "secret",
     .type = CONFIG_SECRET,
     .is_required = true,
     .offset = offsetof(struct function_config, http.webhook_secret),
     .rules = &webhook_rules,
     .doc = "`whsec_` and the base64 of 24 to 64 bytes."},
    {.key = "previous_secret",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct function_config, http.webhook_previous_secret),
     .rules = &webhook_rules,
     .doc = "Signs too, until the receiver knows the new secret."},
    {.key = NULL},
};

static const struct config_option auth_options[] = {
    {.key = "bearer",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct function_config, http.bearer),
     .rules = &bearer_rules,
     .doc = "Token for `Authorization: Bearer`."},
    {.key = "standard_webhooks",
     .type = CONFIG_SECTION,
     .section = webhook_options,
     .doc = "Signs each request as Standard Webhooks 1.0 says (HMAC-SHA256)."},
    {.key = NULL},
};

static const struct config_option http_options[] = {
    {.key = "url",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct function_config, http.url),
     .rules = &url_rules,
     .doc = "Where events are POSTed, http or https."},
    {.key = "headers",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct function_config, http.headers),
     .rules = &headers_rules,
     .doc = "Headers to send along; a value may be a secret."},
    {.key = "auth", .type = CONFIG_SECTION, .section = auth_options, .doc = "Credentials for the endpoint."},
    {.key = NULL},
};

const struct config_option endpoint_options[] = {
    {.key = "http", .type = CONFIG_SECTION, .section = http_options, .doc = "An HTTP server."},
    {.key = NULL},
};

/** The kinds' sections, as in endpoint_options. */
static const enum function_endpoint kinds[] = {FUNCTION_ENDPOINT_HTTP};

static void choose_kind(const struct config_file *file, struct function_config *c)
{
    struct yaml_node *section = yaml_get(file->root, "endpoint");
    if (section == NULL || section->kind != YAML_MAP) {
        return;  // complained about already
    }
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct yaml_node *node = yaml_get(section, endpoint_options[i].key);
        if (node == NULL || node->kind == YAML_NULL) {
            continue;
        }
        c->endpoint = kinds[i];
        if (++count == 2) {
            config_complain_at(file, node, "endpoint: a function has one kind of endpoint; keep one of them");
        }
    }
    if (count == 0 && !section->is_bad) {
        config_complain_at(file, section, "endpoint: choose a kind of endpoint: http");
    }
}

static void check_auth(const struct config_file *file)
{
    struct yaml_node *node = yaml_get(file->root, "endpoint");
    static const char *const PATH[] = {"http", "auth"};
    for (size_t i = 0; i < COUNT_OF(PATH) && node != NULL; i++) {
        node = node->kind == YAML_MAP ? yaml_get(node, PATH[i]) : NULL;
    }
    if (node != NULL && node->kind == YAML_MAP && !node->is_bad && yaml_get(node, "bearer") == NULL &&
        yaml_get(node, "standard_webhooks") == NULL) {
        config_complain_at(file, node, "auth: choose bearer or standard_webhooks, or both");
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

static void check_http(const struct config_file *file, const struct function_config *c)
{
    static const char *const SIGNED[] = {"webhook-id", "webhook-timestamp", "webhook-signature"};
    check_auth(file);
    if (c->http.bearer != NULL) {
        refuse_header(file, c, "authorization", "bearer");
    }
    for (size_t i = 0; c->http.webhook_secret != NULL && i < COUNT_OF(SIGNED); i++) {
        refuse_header(file, c, SIGNED[i], "standard_webhooks");
    }
}

void endpoint_options_finish(const struct config_file *file, struct function_config *c)
{
    choose_kind(file, c);
    check_http(file, c);
}
