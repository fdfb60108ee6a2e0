// One supervised child process: its states, restarts and reports.
#ifndef CLI_SUPERVISE_PROCESS_H
#define CLI_SUPERVISE_PROCESS_H

#include <uv.h>

#include "cli/supervise/health_part.h"
#include "core/base/text.h"

#define PROCESS_STATES(X)                                                                                    \
    X(NEW, new)                                                                                              \
    X(RUNNING, running)                                                                                      \
    X(DRAINING, draining)       /* SIGTERM was sent */                                                       \
    X(BACKING_OFF, backing_off) /* ended unexpectedly; is restarted later */                                 \
    X(FAILED, failed)           /* ended with 78: something must be changed; retried each minute */          \
    X(STOPPED, stopped)         /* ended after a drain */

enum process_state {
#define X(name, text) PROCESS_##name,
    PROCESS_STATES(X)
#undef X
};

struct process;

struct process_params {
    uv_loop_t *loop;
    const char *executable;
    const char *dir;                // handed to the child; lent
    const char *kind;               // "connector" or "bridge"; copied
    const char *name;               // the connector's; "bridge-1"; copied
    int number;                     // of a bridge process, from 1
    int64_t silence_us;             // without a report for this long, its loop counts as hanging
    int64_t hang_us;                // without a report for this long, it is killed
    bool (*is_ending)(void *self);  // the supervisor drains: do not restart
    void (*on_left)(void *self, struct process *p);  // ended after a drain; may free it
    void (*on_ended)(void *supervisor);              // after each exit, and after on_left
    void *supervisor;
    void *self;
};

struct process *process_new(const struct process_params *params);

/** Names the environment variables for the next start; true when the list before lacks one of them. */
bool process_set_variables(struct process *p, const struct text_list *names);

/** Starts the child unless it runs or its restart is scheduled. */
void process_start(struct process *p);

/** Sends SIGTERM, and SIGKILL after 25 s. on_left follows, from inside the call when no child runs. */
void process_drain(struct process *p);

/** Aborts a child that has not reported for hang_us. To be called each second. */
void process_check(struct process *p);

/** The supervisor itself did not run for `pause_us`: does not count as silence of the child. */
void process_forgive(struct process *p, int64_t pause_us);

enum process_state process_state(const struct process *p);
const char *process_kind(const struct process *p);
const char *process_name(const struct process *p);

/** Whether the child runs or its restart is scheduled. */
bool process_is_active(const struct process *p);

/** Calls on_part with the process's state and last report. */
void process_describe(const struct process *p, void (*on_part)(void *context, const struct health_part *part),
                      void *context);

/** Kills a running child. Accepts NULL. */
void process_free(struct process *p);

#endif
