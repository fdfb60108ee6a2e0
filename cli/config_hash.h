// Hashes of configurations, secrets included: no restart is needed while they are equal.
#ifndef CLI_CONFIG_HASH_H
#define CLI_CONFIG_HASH_H

#include <stdint.h>

#include "cli/config_dir.h"

uint64_t config_hash_settings(const struct settings *s);
uint64_t config_hash_connector(const struct connector_config *c);
uint64_t config_hash_function(const struct function_config *c);

/** Of the whole set, with its rejected files. */
uint64_t config_hash_set(const struct config_set *set);

#endif
