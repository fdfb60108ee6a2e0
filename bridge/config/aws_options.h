// The options that say whose credentials sign requests to AWS.
#ifndef BRIDGE_CONFIG_AWS_OPTIONS_H
#define BRIDGE_CONFIG_AWS_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_rules aws_region_rules;
extern const struct config_rules aws_service_rules;
extern const struct config_rules aws_key_rules;

// clang-format off

/** The rows of an option table that read a struct aws_config, at this offset of struct function_config,
 * without its region. */
#define AWS_KEYS_OPTIONS(at)                                                                                 \
    {.key = "profile", .type = CONFIG_TEXT, .offset = (at) + offsetof(struct aws_config, profile),           \
     .doc = "A profile of the shared files, in place of all other sources."},                                \
    {.key = "access_key_id", .type = CONFIG_SECRET, .rules = &aws_key_rules,                                 \
     .offset = (at) + offsetof(struct aws_config, access_key_id),                                            \
     .doc = "Keys of your own, in place of all other sources."},                                             \
    {.key = "secret_access_key", .type = CONFIG_SECRET, .rules = &aws_key_rules,                             \
     .offset = (at) + offsetof(struct aws_config, secret_access_key),                                        \
     .doc = "The secret of `access_key_id`."},                                                               \
    {.key = "session_token", .type = CONFIG_SECRET, .rules = &aws_key_rules,                                 \
     .offset = (at) + offsetof(struct aws_config, session_token), .doc = "With keys that expire."}

// clang-format on

/**
 * Checks what belongs together, and gives the function's process the variables of AWS's tools.
 *
 * @param path  of the section that has the keys
 */
void aws_options_finish(const struct config_file *file, const struct aws_config *aws, const char *path);

#endif
