// Notices changes of the configuration folder, and of the secrets it names, while a command runs.
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
    uint64_t hash;     // config_hash_set of what runs now
    unsigned folders;  // config_set_used_folders of what runs now
    /**
     * The folder holds another configuration: takes over what it needs of the set. Files that are rejected
     * are in set->rejected: what runs under their names goes on.
     */
    void (*on_config)(void *self, struct config_set *set);
    struct config_rejections *rejected;  // lent; kept up to date for status and readiness, before on_config
    bool is_quiet;                       // the supervisor logs what is rejected
    void *self;
};

/**
 * Files are looked at 300 ms after the last change in the folders, and every five seconds for what gives no
 * sign (a secret elsewhere, a file system without notification). A rejected file is logged as
 * `config_rejected`, once, and does not keep the others from being used. Nothing is used when millrace.yaml
 * is rejected, or when a folder is gone that had files in use.
 */
struct reload *reload_start(const struct reload_params *params);

/** Logs each complaint as `config_rejected`. */
void reload_log_rejected(const char *component, const struct config_rejections *rejected);

/** Looks now (SIGHUP). */
void reload_now(struct reload *r);

/** Accepts NULL. */
void reload_stop(struct reload *r);

#endif
