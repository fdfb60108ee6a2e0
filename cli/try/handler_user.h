// The user that a handler runs as when `millrace try` is root's: never root.
#ifndef CLI_TRY_HANDLER_USER_H
#define CLI_TRY_HANDLER_USER_H

#include <sys/types.h>

#include "core/base/fault.h"

/** Zero-initialised: this process's own user. */
struct handler_user {
    char name[64];  // "": this process's own
    uid_t uid;
    gid_t gid;
};

/**
 * The owner of the file; when that is root or has no name, `nobody`. This process's own when it is not
 * root's.
 *
 * @param f  FAULT_CONFIG, with what to type: this user can't read the file or its folder
 */
bool handler_user_choose(const char *path, struct handler_user *ret, struct fault *f) MUST_USE;

/** Whether the program, run as this user, ends with 0 within 30 s; what it writes is dropped. */
bool handler_user_runs(const struct handler_user *user, const char *const *argv) MUST_USE;

/** Whether the user can read the file, whose path is absolute, and its folder. */
bool handler_user_reads(const struct handler_user *user, const char *path) MUST_USE;

#endif
