#include "connectors/postgres/values/pg_scratch.h"

#include <stdlib.h>

#include "core/base/memory.h"

enum {
    DEPTH = 8,             // of nested values; those inside of them get a buffer of their own
    KEEP_BYTES = 64 << 10  // a buffer that has grown above this is freed
};

static _Thread_local struct bytes buffers[DEPTH];
static _Thread_local size_t taken;

struct bytes *pg_scratch_take(void)
{
    size_t depth = taken++;
    return depth < DEPTH ? &buffers[depth] : memory_zeroed(1, sizeof(struct bytes));
}

void pg_scratch_give(struct bytes **buffer)
{
    size_t depth = --taken;
    if (depth >= DEPTH || (*buffer)->capacity > KEEP_BYTES) {
        bytes_clear(*buffer);
    }
    if (depth >= DEPTH) {
        free(*buffer);
    } else {
        bytes_reset(*buffer);
    }
    *buffer = NULL;
}
