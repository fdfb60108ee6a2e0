// Loads the configuration folder: DIR/millrace.yaml, DIR/connectors/*.yaml, DIR/functions/*.yaml.
#ifndef CLI_CONFIG_DIR_H
#define CLI_CONFIG_DIR_H

#include <stdbool.h>

#include "cli/config_set.h"

/** Which files to read, so that a process holds only the secrets that it needs. */
struct config_scope {
    unsigned folders;       // bits of enum config_folder
    const char *connector;  // only this connector; NULL for all
};

/** `option` (the value of -c) unless NULL, else $MILLRACE_CONFIG, else ./millrace if it is a folder, else
 * /etc/millrace. */
const char *config_dir_choose(const char *option);

/**
 * Reads every file of the folder and collects the complaints of all of them. Reads `*.yaml` only, no hidden
 * files or editors' backups; follows symbolic links (Kubernetes' mounts).
 *
 * @param dir  as the user gave it; prefix of the complaints
 * @return     true without complaints; `ret` is filled in both cases
 */
bool config_dir_load(const char *dir, struct config_set *ret);

/** As config_dir_load, but reads millrace.yaml and the files in the scope only. */
bool config_dir_load_scope(const char *dir, const struct config_scope *scope, struct config_set *ret);

#endif
