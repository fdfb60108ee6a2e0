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

/**
 * Whether the user may use the file or folder, with its groups; for root's process only this thread takes the
 * user's rights, for a moment. A process that is neither root nor the user asks for itself.
 *
 * @param mode  as access(2): X_OK to run a file or enter a folder
 * @return      0; else errno. Where the process may not take the user's rights: those of the process
 */
int process_user_access(const struct process_user *u, const char *path, int mode);

/** Accepts a zeroed one. */
void process_user_clear(struct process_user *u);

#endif
