// The process between the bridge and a local function: what the function starts ends with it, and all ends
// with the bridge.
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

#include <sys/types.h>

enum {
    GUARD_NOT_FOUND = 127,  // the command can't be run; as shells have it
};

/**
 * Runs the command as a child, in the process group of the caller, and waits for its end. Descendants that
 * are left then are killed, also those that have left the group and the session; so they are when the parent
 * ends and at SIGUSR1 (with a SIGCONT, if the group was stopped). SIGTERM is the command's to act on: the
 * guard ignores it. The calling process is confined already, has one thread and no other children.
 *
 * Returns the exit code of the command; when a signal ended it, the same signal ends the calling process.
 *
 * @param parent  the process whose end is the end of all
 */
int guard_run(pid_t parent, char **command);

#endif
