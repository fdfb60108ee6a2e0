// Buffers for parts of a value that are rewritten before they are read: elements and fields without their
// quotes. They are used again, so that a row takes no memory from the allocator.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_SCRATCH_H
#define CONNECTORS_POSTGRES_VALUES_PG_SCRATCH_H

#include "core/base/bytes.h"

/** An empty buffer, until pg_scratch_give: in reverse order, as values are nested. */
struct bytes *pg_scratch_take(void);

/** For CLEANUP. */
void pg_scratch_give(struct bytes **buffer);

#endif
