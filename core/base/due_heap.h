// A heap of entries by the time when they are due. Entries are embedded in what waits.
#ifndef CORE_BASE_DUE_HEAP_H
#define CORE_BASE_DUE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Embedded by what waits; zero-initialised is outside a heap. */
struct due_entry {
    int64_t due_us;
    uint64_t number;  // of entries that are due at the same time the one that was added first comes first
    size_t place;     // in the heap, from 1; 0: outside
};

/** Plain data, embedded; zero-initialised is empty. */
struct due_heap {
    struct due_entry **entries;
    size_t count;
    size_t capacity;
    uint64_t added_count;
};

/** Adds an entry that is in no heap. */
void due_heap_add(struct due_heap *h, struct due_entry *e, int64_t due_us);

/** Removes the entry if it is in the heap. */
void due_heap_remove(struct due_heap *h, struct due_entry *e);

/** The entry that is due first; NULL: the heap is empty. */
static inline struct due_entry *due_heap_first(const struct due_heap *h)
{
    return h->count == 0 ? NULL : h->entries[0];
}

/** Frees the memory of an empty heap. */
void due_heap_clear(struct due_heap *h);

#endif
