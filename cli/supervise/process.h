// One supervised child process: its states, its restarts, and what it reports.
#ifndef CLI_SUPERVISE_PROCESS_H
#define CLI_SUPERVISE_PROCESS_H

#include <uv.h>

#include "cli/supervise/health_part.h"

#define PROCESS_STATES(X)                                                                                    \
    X(NEW, new)                                                                                              \
    X(RUNNING, running)                                                                                      \
    X(DRAINING, draining)       /* asked to leave */                                                         \
    X(BACKING_OFF, backing_off) /* ended by itself; starts again later */                                    \
    X(FAILED, failed)           /* ended with 78: something must be changed; tried each minute */            \
    X(STOPPED, stopped)         /* left as asked */

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
    int number;                     // among the bridge processes, from 1
    int64_t silence_us;             // without a report for so long, its loop counts as standing still
    int64_t hang_us;                // and for so long, it is killed
    bool (*is_ending)(void *self);  // the supervisor drains: nothing is started again
    void (*on_left)(void *self, struct process *p);  // left as asked; may free it
    void (*on_ended)(void *supervisor);              // after each end, and after on_left
    void *supervisor;
    void *self;
};

struct process *process_new(const struct process_params *params);

/** New, failed and stopped ones start now; others go on. */
void process_start(struct process *p);

/** Asks a running one to leave; killed after 25 s. on_left follows, from inside the call when none runs. */
void process_drain(struct process *p);

/** Kills a child that has not reported for hang_us. Called each second. */
void process_check(struct process *p);

/** The supervisor itself stood still for so long: that is no silence of the child. */
void process_forgive(struct process *p, int64_t pause_us);

enum process_state process_state(const struct process *p);
const char *process_kind(const struct process *p);
const char *process_name(const struct process *p);

/** Whether something runs or will run again by itself. */
bool process_is_active(const struct process *p);

/** Calls on_part with what is known of it. */
void process_describe(const struct process *p, void (*on_part)(void *context, const struct health_part *part),
                      void *context);

/** Kills what runs. Accepts NULL. */
void process_free(struct process *p);

#endif
