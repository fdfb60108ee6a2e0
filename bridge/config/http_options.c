#include "bridge/config/http_options.h"

#include "bridge/config/auth_options.h"
#include "bridge/config/header_rules.h"
#include "core/config/config_value.h"

static const struct config_rules url_rules = {.check = config_value_check_url,
                                              .redact = config_value_redact_url};

const struct config_option http_options[] = {
    {.key = "url",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct function_config, http.url),
     .rules = &url_rules,
     .doc = "Where events are POSTed, http or https."},
    {.key = "headers",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct function_config, http.headers),
     .rules = &header_rules,
     .doc = "Headers to send along; a value may be a secret."},
    {.key = "auth", .type = CONFIG_SECTION, .section = auth_options, .doc = "Credentials for the endpoint."},
    {.key = NULL},
};

void http_options_finish(const struct config_file *file, struct function_config *c)
{
    auth_options_finish(file, c);
}
