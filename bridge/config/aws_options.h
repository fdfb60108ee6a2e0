// The options that say whose credentials sign requests to AWS.
#ifndef BRIDGE_CONFIG_AWS_OPTIONS_H
#define BRIDGE_CONFIG_AWS_OPTIONS_H

#include "bridge/config/function_config.h"

extern const struct config_rules aws_region_rules;
extern const struct config_rules aws_key_rules;

/**
 * Checks what belongs together, and gives the function's process the variables of AWS's tools.
 *
 * @param path  of the section that has the keys
 */
void aws_options_finish(const struct config_file *file, const struct aws_config *aws, const char *path);

#endif
