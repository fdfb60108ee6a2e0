// Which transactions a snapshot of the server sees: the text of pg_current_snapshot(), "xmin:xmax:xip,xip".
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_VISIBILITY_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_VISIBILITY_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/fault.h"
#include "core/base/memory.h"

/** Zero-initialised sees nothing. */
struct pg_visibility {
    uint64_t xmin;     // all before it have ended
    uint64_t xmax;     // from it on none has begun
    uint64_t *active;  // between them, ascending: those that had not ended
    size_t active_count;
};

/** @param f  FAULT_FATAL: not such a text */
bool pg_visibility_parse(const char *text, struct pg_visibility *ret, struct fault *f) MUST_USE;
void pg_visibility_clear(struct pg_visibility *v);

/** Whether the snapshot has what that transaction did; it committed, and its id is at most 2^31 away. */
bool pg_visibility_sees(const struct pg_visibility *v, uint32_t transaction_id);

#endif
