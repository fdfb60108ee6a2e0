// How the process of an instance ended, and what is said of it.
#ifndef BRIDGE_ENDPOINTS_PROCESS_INSTANCE_EXIT_H
#define BRIDGE_ENDPOINTS_PROCESS_INSTANCE_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/** Why an instance is killed. */
enum instance_kill {
    INSTANCE_KILL_NONE,
    INSTANCE_KILL_STOP_TIMEOUT,  // it did not end after SIGTERM
    INSTANCE_KILL_INIT_TIMEOUT,
    INSTANCE_KILL_MEMORY,
    INSTANCE_KILL_SILENT,     // it runs nothing, and asked for no invocation while one waited
    INSTANCE_KILL_TIMEOUT,    // of a call
    INSTANCE_KILL_CANCELLED,  // its call was given up
    INSTANCE_KILL_RETIRED,    // its last call has ended
};

/** Why an instance ended. */
enum instance_end_reason {
    INSTANCE_END_STOPPED,        // it was stopped
    INSTANCE_END_INIT_FAILED,    // before it asked for an invocation
    INSTANCE_END_CRASHED,        // by itself
    INSTANCE_END_OUT_OF_MEMORY,  // it was killed for its memory
    INSTANCE_END_KILLED,         // for another reason
};

struct instance_exit {
    enum instance_kill killed;
    bool was_stopped;  // it was asked to end, by SIGTERM
    bool was_ready;    // it has asked for an invocation
    int64_t code;
    int signal;        // that ended it; 0: none
    const char *said;  // why it can't start, or the last lines of its output; "": nothing
};

/** The reason of a kill in the log. */
const char *instance_exit_kill_name(enum instance_kill why);

enum instance_end_reason instance_exit_reason(const struct instance_exit *e);

/** Appends what happened and what the function said, in one line. */
void instance_exit_describe(const struct instance_exit *e, struct bytes *out);

#endif
