// The options that say how a server is reached, of functions and of token endpoints: what is trusted over
// TLS, and a proxy.
#ifndef BRIDGE_CONFIG_TRANSPORT_OPTIONS_H
#define BRIDGE_CONFIG_TRANSPORT_OPTIONS_H

#include "core/config/config.h"

extern const struct config_rules proxy_url_rules;

// clang-format off

/** The row of an option table that reads a struct config_text at this offset of the file's struct. */
#define TRANSPORT_CA_OPTION(at)                                                                              \
    {.key = "ca", .type = CONFIG_FILE, .offset = (at),                                                       \
     .doc = "Certificates of the authorities to trust (PEM), in place of the system's."}

/** The rows that read a struct proxy_config at this offset of the file's struct. */
#define TRANSPORT_PROXY_OPTIONS(at)                                                                          \
    {.key = "url", .type = CONFIG_TEXT, .offset = (at) + offsetof(struct proxy_config, url),                 \
     .is_required = true, .rules = &proxy_url_rules, .doc = "`http://HOST:PORT` of the proxy."},             \
    {.key = "user", .type = CONFIG_TEXT, .offset = (at) + offsetof(struct proxy_config, user),               \
     .doc = "Name for basic authentication at the proxy."},                                                  \
    {.key = "password", .type = CONFIG_SECRET,                                                               \
     .offset = (at) + offsetof(struct proxy_config, password), .doc = "Its password."}

// clang-format on

/** Complains of authorities (PEM; NULL: the system's) that are none, at the option's path. */
void transport_options_check_authorities(const struct config_file *file, const char *path, const char *ca);

/** Complains of a password without a user, at the section's path. */
void transport_options_check_proxy(const struct config_file *file, const char *path, const char *user,
                                   const char *password);

#endif
