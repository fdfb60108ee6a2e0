// The profiles of AWS's shared files that functions' files name.
#ifndef CLI_CONFIG_PROFILE_H
#define CLI_CONFIG_PROFILE_H

#include "bridge/config/function_config.h"

/**
 * Complains in the function's file about a profile that the shared files do not have. Warns when there are no
 * such files yet, or when the profile can give no credentials here.
 */
void config_profile_check(const struct config_file *file, const struct function_config *c,
                          struct complaints *warnings);

#endif
