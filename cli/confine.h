// Confines the process that becomes a local function: limits, an unprivileged user, nothing inherited from
// the bridge.
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/fault.h"

struct confinement {
    const char *user;       // name or number; NULL: stays who it is
    const char *directory;  // NULL: stays where it is
    int64_t memory_bytes;   // that it may use: 1 GiB more of private memory (RLIMIT_DATA); 0: no limit
    pid_t parent;           // the process whose death kills this one
};

/**
 * Confines the calling process for good: a session of its own, no core dumps, the limits, the user with its
 * groups alone, no new privileges, death with the parent, default signals, only descriptors 0 to 2. Pipes
 * that are standard output and error can then be opened by the user, as /dev/stderr. FAULT_CONFIG when the
 * user is unknown, is root or may not be taken, and when the directory can't be entered; FAULT_FATAL when the
 * parent is gone or the kernel refuses a step. The process must end after a fault: it may be confined by
 * half.
 */
bool confine(const struct confinement *c, struct fault *f) MUST_USE;

#endif
