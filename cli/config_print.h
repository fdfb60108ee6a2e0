// Fingerprints of configurations, secrets included, to see whether a file's change changed anything.
#ifndef CLI_CONFIG_PRINT_H
#define CLI_CONFIG_PRINT_H

#include <stdint.h>

#include "cli/config_dir.h"

uint64_t config_print_settings(const struct settings *s);
uint64_t config_print_connector(const struct connector_config *c);
uint64_t config_print_function(const struct function_config *c);

/** Of everything in the set. */
uint64_t config_print_set(const struct config_set *set);

#endif
