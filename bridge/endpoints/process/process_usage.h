// Memory and processor time of a process together with the processes that it started.
#ifndef BRIDGE_ENDPOINTS_PROCESS_PROCESS_USAGE_H
#define BRIDGE_ENDPOINTS_PROCESS_PROCESS_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/memory.h"

enum { PROCESS_USAGE_MAX = 512 };  // processes that are counted; further ones are not

/** Which processes belong to a leader of a session. */
enum process_usage_scope {
    PROCESS_USAGE_TREE,     // its descendants: a few system calls for each process and thread
    PROCESS_USAGE_SESSION,  // also members of its session whose parents have ended: looks at each process of
                            // the machine
};

struct process_usage {
    int64_t resident_bytes;  // of files and shared memory only the largest share; pages shared since fork(2)
                             // in each process
    int64_t cpu_us;  // user and system, in steps of 10 ms; of ended children when they were waited for
    int processes;
};

/**
 * Reads what the processes use. A kernel without CONFIG_PROC_CHILDREN shows no tree: then the session is
 * read. False: there is none of them. Source: proc(5): /proc/pid/stat, /proc/pid/statm,
 * /proc/pid/task/tid/children.
 */
bool process_usage_read(pid_t leader, enum process_usage_scope scope, struct process_usage *ret) MUST_USE;

/**
 * Their memory with each shared page counted once (proportional set size). Slow: the kernel visits each page.
 * False: there is none of them, or the kernel does not show it to this user.
 */
bool process_usage_read_exact(pid_t leader, enum process_usage_scope scope, int64_t *ret_bytes) MUST_USE;

#endif
