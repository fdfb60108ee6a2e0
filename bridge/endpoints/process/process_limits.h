// Holds one instance of a local function to its memory and its share of the processor, without cgroups.
#ifndef BRIDGE_ENDPOINTS_PROCESS_PROCESS_LIMITS_H
#define BRIDGE_ENDPOINTS_PROCESS_PROCESS_LIMITS_H

#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct process_limits;

struct process_limits_params {
    uv_loop_t *loop;
    pid_t leader;          // of a session and a process group
    int64_t memory_bytes;  // of all its processes; 0: no limit
    int64_t cpu_millis;    // thousandths of a core for all its processes; 0: no limit
    /** The memory is above its limit. Called once: the owner kills the processes. It may call
     * process_limits_stop. */
    void (*on_memory)(void *self);
    void *self;
};

/**
 * Looks at the processes ten times a second, and more often while they use most of their processor time. That
 * which has used more than its share is stopped (SIGSTOP to the process group) until the average is right
 * again; what it did not use of the last 100 ms it may use at once, as with a cgroup's quota.
 */
struct process_limits *process_limits_start(const struct process_limits_params *params);

/** Continues the processes (SIGCONT) if they are stopped, so that they see a SIGTERM. No callback follows.
 * Accepts NULL. Frees itself later, on the loop. */
void process_limits_stop(struct process_limits *l);

#endif
