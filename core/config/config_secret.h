// Secrets of the configuration: {file: PATH}, {env: NAME}, or plain text in a file that only its owner may
// read.
#ifndef CORE_CONFIG_CONFIG_SECRET_H
#define CORE_CONFIG_CONFIG_SECRET_H

#include "core/config/config.h"

enum { CONFIG_SECRET_MAX = 64 * 1024 };  // bytes of a secret's file

/**
 * Reads the secret; adds a complaint at its place on failure. Removes the line end at the end of a secret's
 * file; a relative path starts at the configuration file's folder.
 *
 * @param key  prefix of the complaints
 * @return     the caller frees it; NULL after a complaint
 */
char *config_secret_read(const struct config_file *file, struct yaml_node *node, const char *key);

#endif
