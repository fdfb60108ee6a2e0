// The options that say how a server is reached, of functions and of token endpoints: what is trusted over
// TLS, and a proxy.
#ifndef BRIDGE_CONFIG_TRANSPORT_OPTIONS_H
#define BRIDGE_CONFIG_TRANSPORT_OPTIONS_H

#include "core/config/config.h"

extern const struct config_rules proxy_url_rules;

// clang-format off

/** The row of an option table that reads a struct config_text, a member of struct function_config. */
#define TRANSPORT_CA_OPTION(member)                                                                          \
    {.key = "ca", .type = CONFIG_FILE, .offset = offsetof(struct function_config, member),                   \
     .doc = "Certificates of the authorities to trust (PEM), in place of the system's."}

/** The rows that read url, user and password of a member of struct function_config. */
#define TRANSPORT_PROXY_OPTIONS(member)                                                                      \
    {.key = "url", .type = CONFIG_TEXT, .offset = offsetof(struct function_config, member.url),              \
     .is_required = true, .rules = &proxy_url_rules, .doc = "`http://HOST:PORT` of the proxy."},             \
    {.key = "user", .type = CONFIG_TEXT, .offset = offsetof(struct function_config, member.user),            \
     .doc = "Name for basic authentication at the proxy."},                                                  \
    {.key = "password", .type = CONFIG_SECRET,                                                               \
     .offset = offsetof(struct function_config, member.password), .doc = "Its password."}

// clang-format on

/** Complains of authorities (PEM; NULL: the system's) that are none, at the option's path. */
void transport_options_check_authorities(const struct config_file *file, const char *path, const char *ca);

/** Complains of a password without a user, at the section's path. */
void transport_options_check_proxy(const struct config_file *file, const char *path, const char *user,
                                   const char *password);

#endif
