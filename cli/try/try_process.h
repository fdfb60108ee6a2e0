// Child processes of `millrace try`: started as an unprivileged user, waited for while signals are blocked,
// gone when we are.
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
    uid_t uid;                // used only when we are root
    gid_t gid;
    int death_signal;  // what the child gets when we die, however we die; 0: it outlives us
};

/** Keeps SIGINT, SIGTERM, SIGHUP and SIGCHLD pending: try_process_wait sees them, nothing is left behind. */
void try_process_block_signals(void);

/** Lets them through again, for the loop's own handlers. */
void try_process_unblock_signals(void);

bool try_process_start(const struct try_process_spec *spec, pid_t *ret, struct fault *f) MUST_USE;

/**
 * Waits for the child's end, at most `timeout_us`; false with FAULT_RETRY when it still runs.
 *
 * @param ret_status  as waitpid gives it
 * @param f           FAULT_FATAL: a signal asked us to end
 */
bool try_process_wait(pid_t pid, int64_t timeout_us, int *ret_status, struct fault *f) MUST_USE;

/** Ends the child with `signal`, with SIGKILL after five seconds. Waits for it. Takes 0 for none. */
void try_process_end(pid_t pid, int signal);

/** Appends what the command writes to stdout (64 KiB at most); false when it can't be run or fails. */
bool try_process_output(const char *const *argv, struct bytes *out) MUST_USE;

/** Removes a folder and all that is in it; never follows a link. */
void try_process_remove_tree(const char *path);

#endif
