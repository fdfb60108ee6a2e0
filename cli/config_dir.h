// Loads the configuration folder: DIR/millrace.yaml, DIR/connectors/*.yaml, DIR/functions/*.yaml.
#ifndef CLI_CONFIG_DIR_H
#define CLI_CONFIG_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/config/function_config.h"
#include "connectors/connector_config.h"
#include "core/base/bytes.h"
#include "core/config/settings.h"

/** Zero-initialised is empty. What has a complaint is there with its defaults, so use nothing unless load
 * said true. */
struct config_set {
    struct settings *settings;
    struct connector_config **connectors;  // in the order of their names
    size_t connector_count;
    struct function_config **functions;  // in the order of their names
    size_t function_count;
    size_t error_count;
    size_t file_count;        // files read
    struct bytes complaints;  // one line each, FILE:LINE:COLUMN: error: …; empty when all is well
};

/** -c's value when it is not NULL, else $MILLRACE_CONFIG, else ./millrace when that is a folder, else
 * /etc/millrace. */
const char *config_dir_choose(const char *option);

/** config_dir_choose(NULL). */
const char *config_dir_default(void);

/**
 * Reads every file of the folder and gathers the complaints of all of them. Only `*.yaml` counts; hidden
 * files and editors' backups are left alone, symbolic links (Kubernetes' mounts) are followed.
 *
 * @param dir  as the user gave it: complaints begin with it
 * @return     true when nothing is wrong; `ret` is filled in both cases
 */
bool config_dir_load(const char *dir, struct config_set *ret);

/** Appends "2 errors in 3 files". */
void config_dir_summary(const struct config_set *set, struct bytes *out);

/** Moves the functions out of the set (for bridge_apply, which takes them over); the caller frees the array.
 */
struct function_config **config_set_take_functions(struct config_set *set, size_t *ret_count);

/** Accepts NULL and half-loaded sets. */
void config_set_clear(struct config_set *set);

#endif
