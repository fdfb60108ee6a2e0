#include "bridge/intake/join_watch.h"

#include <string.h>

#include "core/base/memory.h"

static const char *const NAMES[] = {
#define X(name, text) [JOIN_##name] = text,
    JOIN_STATES(X)
#undef X
};

/** Group "millrace.fn" changed join state steady -> init (state up) */
static enum join_state state_in(const char *text)
{
    const char *change = strstr(text, "changed join state ");
    const char *arrow = change == NULL ? NULL : strstr(change, " -> ");
    if (arrow == NULL) {
        return JOIN_UNKNOWN;
    }
    const char *name = arrow + strlen(" -> ");
    size_t size = strcspn(name, " ");
    for (size_t i = JOIN_INIT; i < COUNT_OF(NAMES); i++) {
        if (strlen(NAMES[i]) == size && strncmp(NAMES[i], name, size) == 0) {
            return (enum join_state)i;
        }
    }
    return JOIN_UNKNOWN;
}

static void on_line(void *self, const char *facility, const char *text)
{
    struct join_watch *w = self;
    if (strcmp(facility, "CGRPJOINSTATE") == 0) {
        atomic_store(&w->state, state_in(text));
    }
}

void join_watch_init(struct join_watch *w)
{
    w->reader = (struct kafka_log_reader){.on_line = on_line, .self = w};
    atomic_init(&w->state, JOIN_UNKNOWN);
}

bool join_watch_can_commit(const struct join_watch *w)
{
    switch (atomic_load(&w->state)) {
    case JOIN_UNKNOWN:
    case JOIN_WAIT_ASSIGN_CALL:
    case JOIN_WAIT_UNASSIGN_CALL:
    case JOIN_STEADY:
        return true;
    case JOIN_INIT:
    case JOIN_WAIT_JOIN:
    case JOIN_WAIT_METADATA:
    case JOIN_WAIT_SYNC:
    case JOIN_WAIT_UNASSIGNED:
    case JOIN_WAIT_INCR_UNASSIGNED:
        return false;
    }
    return true;
}
