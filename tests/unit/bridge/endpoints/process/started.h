// A process of a test: the leader of a session, as an instance of a local function is.
#ifndef TESTS_STARTED_H
#define TESTS_STARTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * Starts a process that calls `run`; returns when it has called started_is_ready. It dies with the test, and
 * waits for ever when `run` returns.
 */
pid_t started_new(void (*run)(void));

/** In the process: fork(2) with an end after a minute, whoever has lost it. */
pid_t started_fork(void);

/** In the process, or in one that it has started: started_new may return. */
void started_is_ready(void);

/** In the process: the memory is its own and resident. */
void started_take_memory(size_t bytes);

/** In the process: takes processor time until it has used so much in all, or for ever: 0. */
void started_use_cpu(long milliseconds);

/** In the process: waits for ever. */
void started_wait(void) __attribute__((noreturn));

/** Kills the session's processes and waits for the leader; returns its wait status. `ret_cpu_us`, unless
 * NULL: the processor time that it used. */
int started_kill(pid_t pid, long *ret_cpu_us);

/** The state in /proc/pid/stat: 'R', 'S', 'T' (stopped), 'Z' …; 0: there is no such process. */
char started_state(pid_t pid);

#endif
