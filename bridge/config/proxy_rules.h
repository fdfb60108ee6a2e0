// The URL of a proxy, of functions and of token endpoints.
#ifndef BRIDGE_CONFIG_PROXY_RULES_H
#define BRIDGE_CONFIG_PROXY_RULES_H

#include "core/config/config.h"

extern const struct config_rules proxy_url_rules;

#endif
