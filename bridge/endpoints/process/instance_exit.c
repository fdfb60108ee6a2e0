#include "bridge/endpoints/process/instance_exit.h"

#include <string.h>

/** What a kill is called in the log, and in the report of the end; NULL: as any end. */
static const struct {
    const char *name;
    const char *text;
} KILLS[] = {
    [INSTANCE_KILL_NONE] = {"", NULL},
    [INSTANCE_KILL_STOP_TIMEOUT] = {"stop_timeout", NULL},
    [INSTANCE_KILL_INIT_TIMEOUT] = {"init_timeout", "asked for no invocation within init_timeout"},
    [INSTANCE_KILL_MEMORY] = {"memory", "used more memory than endpoint.process.memory allows"},
    [INSTANCE_KILL_SILENT] = {"silent", "asked for no further invocation"},
    [INSTANCE_KILL_TIMEOUT] = {"timeout", NULL},
    [INSTANCE_KILL_CANCELLED] = {"cancelled", NULL},
    [INSTANCE_KILL_RETIRED] = {"retired", NULL},
};

const char *instance_exit_kill_name(enum instance_kill why)
{
    return KILLS[why].name;
}

enum instance_end_reason instance_exit_reason(const struct instance_exit *e)
{
    if (e->was_stopped || e->killed == INSTANCE_KILL_STOP_TIMEOUT) {
        return INSTANCE_END_STOPPED;
    }
    if (!e->was_ready) {
        return INSTANCE_END_INIT_FAILED;
    }
    if (e->killed == INSTANCE_KILL_MEMORY) {
        return INSTANCE_END_OUT_OF_MEMORY;
    }
    return e->killed == INSTANCE_KILL_NONE ? INSTANCE_END_CRASHED : INSTANCE_END_KILLED;
}

void instance_exit_describe(const struct instance_exit *e, struct bytes *out)
{
    const char *name = sigabbrev_np(e->signal);
    bytes_append_string(out, "the function's process ");
    if (KILLS[e->killed].text != NULL) {
        bytes_append_string(out, KILLS[e->killed].text);
    } else if (e->signal != 0) {
        bytes_format(out, "was ended by SIG%s", name == NULL ? "?" : name);
    } else {
        bytes_format(out, "exited with code %d", (int)e->code);
    }
    if (e->said[0] != '\0') {
        bytes_format(out, ": %s", e->said);
    }
}
