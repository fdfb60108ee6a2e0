#include "bridge/config/http_options.h"

#include <arpa/inet.h>

#include "bridge/config/auth_options.h"
#include "bridge/config/header_rules.h"
#include "bridge/config/template_options.h"
#include "bridge/config/transport_options.h"
#include "core/http/http_tls.h"

enum { REDIRECTS_MAX = 20 };

/**
 * OpenSSL takes a name that begins with a dot for any host of that domain, and finds no certificate for a URL
 * or a port.
 */
static bool check_server_name(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    enum { NAME_LENGTH_MAX = 253 };
    uint8_t address[16];
    size_t size = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    bool is_name = value[size] == '\0' && size <= NAME_LENGTH_MAX && value[0] != '.' &&
                   value[size - 1] != '.' && strstr(value, "..") == NULL;
    return is_name || inet_pton(AF_INET6, value, address) == 1 ||
           fault_set(f, FAULT_CONFIG, "must be a host name such as orders.internal, or an IP address");
}

static const struct config_rules server_name_rules = {.check = check_server_name};

static const struct config_choice methods[] = {{"POST", FUNCTION_POST},
                                               {"PUT", FUNCTION_PUT},
                                               {"PATCH", FUNCTION_PATCH},
                                               {"DELETE", FUNCTION_DELETE_METHOD},
                                               {NULL, 0}};
static const struct config_choice versions[] = {
    {"auto", HTTP_VERSION_AUTO}, {"1.1", HTTP_VERSION_1_1}, {"2", HTTP_VERSION_2}, {NULL, 0}};

static const struct config_option tls_options[] = {
    TRANSPORT_CA_OPTION(offsetof(struct function_config, http.tls.ca)),
    {.key = "certificate",
     .type = CONFIG_FILE,
     .offset = offsetof(struct function_config, http.tls.certificate),
     .doc = "The client's certificate, then those between it and its authority (PEM)."},
    {.key = "key",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct function_config, http.tls.key),
     .doc = "Private key of the certificate (PEM, without a passphrase)."},
    {.key = "server_name",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct function_config, http.tls.server_name),
     .rules = &server_name_rules,
     .doc = "The name to ask for and to find in the server's certificate, in place of the URL's host."},
    {.key = NULL},
};

static const struct config_option proxy_options[] = {
    TRANSPORT_PROXY_OPTIONS(offsetof(struct function_config, http.proxy)), {.key = NULL}};

const struct config_option http_options[] = {
    {.key = "url",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct function_config, http.url),
     .rules = &template_url_rules,
     .doc = "Where events are sent, http or https; path and query may have references such as `${key.id}` "
            "([payloads.md](payloads.md#urls-and-headers))."},
    {.key = "method",
     .type = CONFIG_CHOICE,
     .choices = methods,
     .initial = "POST",
     .offset = offsetof(struct function_config, http.method),
     .doc = "The method of the requests."},
    {.key = "headers",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct function_config, http.headers),
     .rules = &header_rules,
     .doc = "Headers to send along; a value may be a secret, or have references such as `${after.tenant}`."},
    {.key = "http_version",
     .type = CONFIG_CHOICE,
     .choices = versions,
     .initial = "auto",
     .offset = offsetof(struct function_config, http.version),
     .doc = "Which HTTP is spoken. auto: over TLS what the server chooses, else 1.1; 2 without TLS: by prior "
            "knowledge."},
    {.key = "gzip",
     .type = CONFIG_SIZE,
     .min = 1,
     .max = 1 << 30,
     .otherwise = "never",
     .offset = offsetof(struct function_config, http.gzip_bytes),
     .doc = "Bodies from this size on are sent compressed, if that makes them smaller."},
    {.key = "tls",
     .type = CONFIG_SECTION,
     .section = tls_options,
     .doc = "What is trusted and shown over TLS."},
    {.key = "proxy",
     .type = CONFIG_SECTION,
     .section = proxy_options,
     .doc = "A proxy that opens a tunnel to the function (CONNECT); none is taken from the environment."},
    {.key = "redirects",
     .type = CONFIG_INTEGER,
     .initial = "0",
     .max = REDIRECTS_MAX,
     .offset = offsetof(struct function_config, http.redirects),
     .doc = "How many redirects of a call are followed: 307 and 308, to the same scheme, host and port."},
    {.key = "auth", .type = CONFIG_SECTION, .section = auth_options, .doc = "Credentials for the endpoint."},
    {.key = NULL},
};

/** Complains at the option that the fault begins with: "certificate: …". */
static void complain_of_tls(const struct config_file *file, const struct function_config *c,
                            const struct fault *f)
{
    static const char *const PATHS[] = {"endpoint.http.tls.ca", "endpoint.http.tls.certificate",
                                        "endpoint.http.tls.key"};
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        const char *key = strrchr(PATHS[i], '.') + 1;
        if (strncmp(f->text, key, strlen(key)) == 0) {
            bool is_path = strcmp(key, "key") == 0 && config_node(file, PATHS[i])->kind == YAML_TEXT &&
                           strncmp(c->http.tls.key, "-----", strlen("-----")) != 0;
            config_complain(file, PATHS[i], "%s%s", f->text,
                            is_path ? "; to name a file write {file: PATH}" : "");
            return;
        }
    }
    config_complain(file, "endpoint.http.tls", "tls: %s", f->text);
}

static void check_tls(const struct config_file *file, const struct function_config *c)
{
    const struct tls_config *tls = &c->http.tls;
    struct yaml_node *node = config_node(file, "endpoint.http.tls");
    bool is_given =
        tls->ca.path != NULL || tls->certificate.path != NULL || tls->key != NULL || tls->server_name != NULL;
    if (node == NULL || !is_given || !config_is_sound(file, "endpoint.http.tls.ca") ||
        !config_is_sound(file, "endpoint.http.tls.certificate") ||
        !config_is_sound(file, "endpoint.http.tls.key")) {
        return;
    }
    if (c->http.url != NULL && strncasecmp(c->http.url, "http://", strlen("http://")) == 0) {
        config_complain_at(file, node, "tls: has a meaning only with https://");
    }
    if ((tls->certificate.path == NULL) != (tls->key == NULL)) {
        config_complain_at(file, node, "tls: certificate and key belong together; %s is missing",
                           tls->key == NULL ? "key" : "certificate");
        return;
    }
    struct http_tls *made = NULL;
    struct fault f;
    const struct http_client_params params = function_config_http_params(c);
    if (!http_tls_new(&params.tls, params.version, &made, &f)) {
        complain_of_tls(file, c, &f);
    }
    http_tls_free(made);
}

void http_options_finish(const struct config_file *file, struct function_config *c)
{
    check_tls(file, c);
    transport_options_check_proxy(file, "endpoint.http.proxy", c->http.proxy.user, c->http.proxy.password);
    auth_options_finish(file, c);
}
