// Warnings of secrets that would cross the network unencrypted: by http:// to another machine.
#ifndef CLI_CONFIG_CLEARTEXT_H
#define CLI_CONFIG_CLEARTEXT_H

#include "bridge/config/function_config.h"
#include "core/config/settings.h"

/** Warns of each URL of the function's file to which credentials would be sent unencrypted. */
void config_cleartext_function(const struct config_file *file, const struct function_config *c,
                               struct complaints *warnings);

/** The same of millrace.yaml. */
void config_cleartext_settings(const struct config_file *file, const struct settings *s,
                               struct complaints *warnings);

#endif
