#include "core/base/block_pool.h"

#include "core/base/memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1  // as gcc does
#endif
#endif

enum { CLASSES = BLOCK_POOL_LARGEST / BLOCK_POOL_STEP };

struct unused {
    struct unused *next;
};

static _Thread_local struct unused *unused[CLASSES];  // of 1 step, 2 steps …
static _Thread_local size_t kept;

/** The index of the class that fits; CLASSES or more: none. */
static size_t class_of(size_t size)
{
#ifdef __SANITIZE_ADDRESS__  // which sees a use of what was freed
    (void)size;
    return CLASSES;
#else
    return size == 0 ? 0 : (size - 1) / BLOCK_POOL_STEP;
#endif
}

static size_t class_size(size_t class)
{
    return (class + 1) * BLOCK_POOL_STEP;
}

void *block_new(size_t size)
{
    size_t class = class_of(size);
    if (class >= CLASSES) {
        return memory_new(size);
    }
    struct unused *block = unused[class];
    if (block == NULL) {
        return memory_new(class_size(class));
    }
    unused[class] = block->next;
    kept -= class_size(class);
    return block;
}

void block_free(void *block, size_t size)
{
    size_t class = class_of(size);
    if (block == NULL || class >= CLASSES || kept + class_size(class) > BLOCK_POOL_KEPT_MAX) {
        free(block);
        return;
    }
    struct unused *first = block;
    first->next = unused[class];
    unused[class] = first;
    kept += class_size(class);
}

size_t block_pool_kept(void)
{
    return kept;
}

void block_pool_clear(void)
{
    for (size_t i = 0; i < CLASSES; i++) {
        for (struct unused *block = unused[i], *next; block != NULL; block = next) {
            next = block->next;
            free(block);
        }
        unused[i] = NULL;
    }
    kept = 0;
}
