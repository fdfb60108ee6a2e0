// Reads a whole configuration file, with a size limit.
#ifndef CORE_CONFIG_CONFIG_FILE_H
#define CORE_CONFIG_CONFIG_FILE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/**
 * Reads a regular file; follows symbolic links.
 *
 * @param size_max       a larger file is a fault
 * @param ret_is_private  whether only its owner may read it; may be NULL
 * @param f              FAULT_CONFIG; begins with the path
 */
bool config_file_load(const char *path, size_t size_max, struct bytes *ret, bool *ret_is_private,
                      struct fault *f) MUST_USE;

/** A path in a configuration file as one for open(2): a relative one starts at that file's folder. The caller
 * frees it. */
char *config_file_resolve(const char *configuration_path, const char *path);

#endif
