// Watches the configuration folder, and the secrets it names, while a command runs.
#ifndef CLI_SUPERVISE_RELOAD_H
#define CLI_SUPERVISE_RELOAD_H

#include <uv.h>

#include "cli/config_dir.h"

struct reload;

struct reload_params {
    uv_loop_t *loop;
    const char *dir;        // lent
    const char *component;  // for the log; lent
    struct config_scope scope;
    uint64_t hash;     // config_hash_set of the running configuration
    unsigned folders;  // config_set_used_folders of the running configuration
    /**
     * The configuration has changed: take over what is needed from the set. What runs under the names of
     * rejected files (set->rejected) keeps running.
     */
    void (*on_config)(void *self, struct config_set *set);
    struct config_rejections *rejected;  // lent; updated before on_config
    bool is_quiet;                       // do not log rejected files: the supervisor does
    void *self;
};

/**
 * Reads the files 300 ms after the last change in the folders, and every five seconds for changes without
 * notification (a secret elsewhere, some file systems). A rejected file is logged once, as `config_rejected`;
 * the other files are used. No file is used when millrace.yaml is rejected, or when a folder with files in
 * use is missing.
 */
struct reload *reload_start(const struct reload_params *params);

/** Logs each complaint as `config_rejected`. */
void reload_log_rejected(const char *component, const struct config_rejections *rejected);

/** Reads the files now (SIGHUP). */
void reload_now(struct reload *r);

/** Accepts NULL. */
void reload_stop(struct reload *r);

#endif
