// One run of a child program: it is spawned with a pipe for its reports, and ends. Knows no restarts.
#ifndef CLI_SUPERVISE_SPAWNED_H
#define CLI_SUPERVISE_SPAWNED_H

#include <uv.h>

#include "cli/supervise/child.h"
#include "core/base/fault.h"

struct spawned;

struct spawned_params {
    uv_loop_t *loop;
    const char *executable;
    const char *component;         // for the log; lent until the end
    const char *const *arguments;  // NULL-ended
    char **environment;            // NULL-ended
    /** Takes over the report's content. */
    void (*on_report)(void *self, struct child_report *report);
    /** After the last report. The run is freed afterwards. */
    void (*on_exit)(void *self, int64_t status, int signal);
    void *self;
};

/** FAULT_RETRY: nothing was started. */
bool spawned_start(const struct spawned_params *params, struct spawned **ret, struct fault *f) MUST_USE;

int spawned_pid(const struct spawned *s);
void spawned_signal(struct spawned *s, int number);

/** Kills it; on_exit does not follow. Accepts NULL. */
void spawned_free(struct spawned *s);

#endif
