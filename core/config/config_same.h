// Compares configurations, and hashes what config_show hides of them, by their option tables.
#ifndef CORE_CONFIG_CONFIG_SAME_H
#define CORE_CONFIG_CONFIG_SAME_H

#include "core/config/config.h"

/** Whether all values of the options are equal, secrets included. */
bool config_same(const struct config_option *options, const void *a, const void *b);

/** Appends a hash of each value that config_show hides, in whole or in part, so that no copy of it is made.
 */
void config_same_hash_hidden(const struct config_option *options, const void *config, struct bytes *out);

#endif
