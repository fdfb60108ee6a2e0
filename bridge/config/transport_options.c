#include "bridge/config/transport_options.h"

#include "core/config/config_value.h"
#include "core/http/http_proxy.h"
#include "core/http/http_tls.h"

static bool check_proxy_url(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct http_proxy *made = NULL;
    const struct http_proxy_params params = {.url = value};
    bool is_good = config_value_check_url(file, value, f) && http_proxy_new(&params, &made, f);
    http_proxy_free(made);
    return is_good || fault_set(f, FAULT_CONFIG,
                                "a proxy's URL is http://HOST:PORT, nothing more; its name and password are "
                                "in user and password");
}

const struct config_rules proxy_url_rules = {.check = check_proxy_url, .redact = config_value_redact_url};

void transport_options_check_authorities(const struct config_file *file, const char *path, const char *ca)
{
    struct http_tls *made = NULL;
    struct fault f;
    const struct http_tls_params params = {.ca = ca};
    if (ca != NULL && !http_tls_new(&params, HTTP_VERSION_1_1, &made, &f)) {
        config_complain(file, path, "%s", f.text);
    }
    http_tls_free(made);
}

void transport_options_check_proxy(const struct config_file *file, const char *path, const char *user,
                                   const char *password)
{
    if (user == NULL && password != NULL) {
        CLEANUP(memory_free_pointer) char *at = memory_format("%s.password", path);
        config_complain(file, at, "password: has a meaning only with user");
    }
}
