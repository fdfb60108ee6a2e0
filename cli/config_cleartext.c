#include "cli/config_cleartext.h"

#include <arpa/inet.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/http/http_head.h"

/** Where what is sent does not leave the machine. RFC 6761, 6.3: names in `localhost` lead to loopback. */
static bool is_this_machine(const char *host)
{
    static const char LOCAL[] = "localhost";
    struct in_addr v4;
    struct in6_addr v6;
    size_t size = strlen(host);
    size_t local = sizeof(LOCAL) - 1;
    if (size >= local && strcasecmp(host + size - local, LOCAL) == 0) {
        return size == local || host[size - local - 1] == '.';
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/** Whether it is http:// to another machine, and valid. */
static bool is_in_the_clear(const char *url)
{
    struct fault f;
    struct http_head *head = NULL;
    if (!http_head_new(&(struct http_head_params){.method = "GET", .url = url}, &head, &f)) {
        return false;  // the file has an error there
    }
    bool is_clear = !head->is_tls && !is_this_machine(head->host);
    http_head_free(head);
    return is_clear;
}

/** @param text  what is sent, and what to do */
static void warn(const struct config_file *file, const char *path, const char *url, const char *text,
                 struct complaints *warnings)
{
    const struct yaml_node *node = config_node(file, path);
    if (url != NULL && node != NULL && is_in_the_clear(url)) {
        complaints_add(warnings, file->path, node->line, node->column, "%s: %s", strrchr(path, '.') + 1,
                       text);
    }
}

static void warn_of_proxy(const struct config_file *file, const char *path, const char *url, const char *user,
                          struct complaints *warnings)
{
    if (user != NULL) {
        warn(
            file, path, url,
            "user and password go to the proxy unencrypted; use a proxy that knows clients by their address, "
            "or one on this machine",
            warnings);
    }
}

static bool has_secret(const struct text_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (pairs->items[i].is_secret) {
            return true;
        }
    }
    return false;
}

/** Whether requests carry more than signatures. */
static bool has_credentials(const struct function_config *c)
{
    const struct auth_config *auth = &c->http.auth;
    return auth->bearer != NULL || auth->basic.user != NULL || auth->api_key.header != NULL ||
           auth->oauth2.token_url != NULL || has_secret(&c->http.headers);
}

void config_cleartext_function(const struct config_file *file, const struct function_config *c,
                               struct complaints *warnings)
{
    const struct oauth2_config *oauth2 = &c->http.auth.oauth2;
    CLEANUP(memory_free_secret_pointer)
    char *origin = c->http.url == NULL ? NULL : template_config_origin(c->http.url);
    if (has_credentials(c)) {
        warn(file, "endpoint.http.url", origin, "credentials are sent unencrypted over http://; use https://",
             warnings);
    }
    warn_of_proxy(file, "endpoint.http.proxy.url", c->http.proxy.url, c->http.proxy.user, warnings);
    warn(file, "endpoint.http.auth.oauth2.token_url", oauth2->token_url,
         "what the client proves itself with and the token are sent unencrypted over http://; use https://",
         warnings);
    warn_of_proxy(file, "endpoint.http.auth.oauth2.proxy.url", oauth2->proxy.url, oauth2->proxy.user,
                  warnings);
    warn(file, "endpoint.lambda.url", c->lambda.url,
         "events and session tokens are sent unencrypted over http://; use https://", warnings);
}

void config_cleartext_settings(const struct config_file *file, const struct settings *s,
                               struct complaints *warnings)
{
    if (s->registry.username != NULL || s->registry.token != NULL) {
        warn(file, "registry.url", s->registry.url,
             s->registry.token != NULL
                 ? "the token is sent unencrypted over http://; use https://"
                 : "username and password are sent unencrypted over http://; use https://",
             warnings);
    }
    if (s->tracing.headers.count > 0) {
        warn(file, "tracing.otlp.url", s->tracing.url,
             "headers with keys are sent unencrypted over http://; use https://", warnings);
    }
}
