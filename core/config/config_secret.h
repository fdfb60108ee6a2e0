// Secrets of the configuration: {file: PATH}, {env: NAME}, or plain in a file that only its owner may read.
#ifndef CORE_CONFIG_CONFIG_SECRET_H
#define CORE_CONFIG_CONFIG_SECRET_H

#include "core/config/config.h"

enum { CONFIG_SECRET_MAX = 64 * 1024 };  // bytes of a secret's file

/**
 * Gets the secret, complaining at its place when it can't be had. A file's last line end is taken away; its
 * path counts from the folder of the configuration file.
 *
 * @param key  begins the complaints
 * @return     the caller frees it; NULL after a complaint
 */
char *config_secret_read(const struct config_file *file, struct yaml_node *node, const char *key);

#endif
