// A user of this machine, as a local function's file names it.
#ifndef BRIDGE_CONFIG_PROCESS_USER_H
#define BRIDGE_CONFIG_PROCESS_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/memory.h"

/** Owned texts. Zero-initialised is nobody; process_user_clear releases it. */
struct process_user {
    char *name;
    char *home;
    uid_t uid;
    gid_t gid;
};

/**
 * Reads the user database, which may wait for a directory service.
 *
 * @param user  a name, else a number; NULL: the user that this process runs as
 * @return      false, and `ret` is nobody: there is no such user
 */
bool process_user_find(const char *user, struct process_user *ret) MUST_USE;

/** Accepts a zeroed one. */
void process_user_clear(struct process_user *u);

#endif
