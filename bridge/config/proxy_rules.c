#include "bridge/config/proxy_rules.h"

#include "core/config/config_value.h"
#include "core/http/http_proxy.h"

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
