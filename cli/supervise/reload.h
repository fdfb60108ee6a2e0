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
    uint64_t print;         // config_print_set of what runs now
    /** A right configuration that differs from the last one: takes the set's contents over. */
    void (*on_config)(void *self, struct config_set *set);
    void *self;
};

/**
 * Files are looked at 300 ms after the last change in the folders, and every five seconds for what gives no
 * sign (a secret elsewhere, a file system without notification). A wrong configuration is logged as
 * `config_rejected`, once, and the one before stays.
 */
struct reload *reload_start(const struct reload_params *params);

/** Looks now (SIGHUP). */
void reload_now(struct reload *r);

/** Accepts NULL. */
void reload_stop(struct reload *r);

#endif
