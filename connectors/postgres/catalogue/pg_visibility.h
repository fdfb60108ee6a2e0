// Which transactions a snapshot sees: the text of pg_current_snapshot(), "xmin:xmax:xip,xip".
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_VISIBILITY_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_VISIBILITY_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/fault.h"
#include "core/base/memory.h"

/** Zero-initialised sees nothing. */
struct pg_visibility {
    uint64_t xmin;     // all transactions before it have ended
    uint64_t xmax;     // no transaction from it on had begun
    uint64_t *active;  // those between them that had not ended, ascending
    size_t active_count;
};

/** @param f  FAULT_FATAL: the text is malformed */
bool pg_visibility_parse(const char *text, struct pg_visibility *ret, struct fault *f) MUST_USE;
void pg_visibility_clear(struct pg_visibility *v);

/** Whether the snapshot sees a committed transaction, whose id is less than 2^31 away from xmax. */
bool pg_visibility_sees(const struct pg_visibility *v, uint32_t transaction_id);

#endif
