// Memory for what comes and goes with each event: freed blocks are kept and taken again, so that a loop that
// runs steadily calls malloc no more. Each thread has blocks of its own; one that is freed on another thread
// stays there. Under AddressSanitizer every block is malloc's, so that it sees each use after free.
#ifndef CORE_BASE_BLOCK_POOL_H
#define CORE_BASE_BLOCK_POOL_H

#include <stddef.h>

enum {
    BLOCK_POOL_STEP = 64,          // blocks are multiples of this
    BLOCK_POOL_LARGEST = 2048,     // larger ones are malloc's
    BLOCK_POOL_KEPT_MAX = 1 << 20  // bytes of unused blocks
};

/** Uninitialised memory for block_free with the same size. */
void *block_new(size_t size) __attribute__((returns_nonnull, malloc));

/** Accepts NULL. */
void block_free(void *block, size_t size);

/** Bytes in this thread's unused blocks. */
size_t block_pool_kept(void);

/** Gives this thread's unused blocks back to malloc. */
void block_pool_clear(void);

#endif
