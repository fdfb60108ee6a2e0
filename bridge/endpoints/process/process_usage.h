// Memory and processor time of a process together with the processes that it started.
#ifndef BRIDGE_ENDPOINTS_PROCESS_PROCESS_USAGE_H
#define BRIDGE_ENDPOINTS_PROCESS_PROCESS_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/memory.h"

struct process_usage {
    int64_t resident_bytes;  // files and shared memory counted once, pages shared by fork(2) in each process
    int64_t cpu_us;  // user and system, in steps of 10 ms; of ended children when they were waited for
    int processes;
};

/**
 * Reads the process and its descendants. Cheap: a few system calls for each process and thread.
 * False: there is no such process.
 * Source: proc(5): /proc/pid/stat, /proc/pid/statm, /proc/pid/task/tid/children.
 */
bool process_usage_read(pid_t leader, struct process_usage *ret) MUST_USE;

/** As process_usage_read, for the members of the leader's session, also those whose parent has ended: looks
 * at every process of the machine. */
bool process_usage_read_session(pid_t leader, struct process_usage *ret) MUST_USE;

/**
 * The memory of the members of the leader's session, each shared page counted once (proportional set size).
 * Slow: the kernel visits each page. False: the kernel does not show it.
 */
bool process_usage_read_exact(pid_t leader, int64_t *ret_bytes) MUST_USE;

#endif
