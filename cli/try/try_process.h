// Child processes of `millrace try`: run as an unprivileged user, awaited with signals blocked, and ended
// with this process.
#ifndef CLI_TRY_TRY_PROCESS_H
#define CLI_TRY_TRY_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct try_process_spec {
    const char *const *argv;  // NULL-ended; [0] is looked up in PATH
    const char *directory;    // becomes the child's working directory
    const char *log_path;     // stdout and stderr are appended to it
    uid_t uid;                // used only when this process is root's
    gid_t gid;
    int death_signal;  // sent to the child when this process dies (PR_SET_PDEATHSIG); 0: none
};

/** Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD; try_process_wait handles them, so that everything is cleaned
 * up. */
void try_process_block_signals(void);

/** Unblocks them, for the loop's handlers. */
void try_process_unblock_signals(void);

bool try_process_start(const struct try_process_spec *spec, pid_t *ret, struct fault *f) MUST_USE;

/**
 * Waits until the child has ended, at most `timeout_us`.
 *
 * @param ret_status  waitpid's status
 * @param f           FAULT_RETRY: the child still runs; FAULT_FATAL: this process got a terminating signal
 */
bool try_process_wait(pid_t pid, int64_t timeout_us, int *ret_status, struct fault *f) MUST_USE;

/** Sends the child `signal`, after five seconds SIGKILL, and waits until it has ended. `pid` may be 0 for
 * none. */
void try_process_end(pid_t pid, int signal);

/** The path of a program that is in one of PATH's folders, for the caller to free; NULL: it is in none. */
char *try_process_find(const char *program);

/** The same for the rest of a list as in PATH, which is moved behind the folder that has the program. */
char *try_process_find_next(const char **path, const char *program);

/** Appends what the command writes to stdout (64 KiB at most); false when it can't be run or fails. */
bool try_process_output(const char *const *argv, struct bytes *out) MUST_USE;

/** Removes a folder with its content; does not follow symbolic links. */
void try_process_remove_tree(const char *path);

#endif
