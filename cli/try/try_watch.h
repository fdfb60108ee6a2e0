// A consumer of `millrace try` that finds each change's partition and offset. It joins no group and commits
// nothing.
#ifndef CLI_TRY_TRY_WATCH_H
#define CLI_TRY_TRY_WATCH_H

#include <uv.h>

#include "core/base/fault.h"
#include "core/config/settings.h"

/** A record that is not a tombstone, borrowed for the call. */
struct try_watch_record {
    const char *event_id;  // header millrace.position
    const char *topic;
    int32_t partition;
    int64_t offset;
};

typedef void (*try_watch_on_record)(void *self, const struct try_watch_record *record);

struct try_watch_params {
    uv_loop_t *loop;
    const struct settings *settings;
    const char *const *topics;  // NULL-ended; they exist
    int partitions;             // of each topic
    const char *name;           // group.id, see try_watch.c
    try_watch_on_record on_record;
    void *self;
};

struct try_watch;
bool try_watch_start(const struct try_watch_params *params, struct try_watch **ret, struct fault *f) MUST_USE;

/** Accepts NULL. */
void try_watch_stop(struct try_watch *w);

#endif
