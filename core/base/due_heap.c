#include "core/base/due_heap.h"

#include "core/base/memory.h"

static bool is_before(const struct due_entry *a, const struct due_entry *b)
{
    return a->due_us < b->due_us || (a->due_us == b->due_us && a->number < b->number);
}

static void put(struct due_heap *h, size_t at, struct due_entry *e)
{
    h->entries[at] = e;
    e->place = at + 1;
}

static void sift_up(struct due_heap *h, size_t at)
{
    struct due_entry *e = h->entries[at];
    while (at > 0 && is_before(e, h->entries[(at - 1) / 2])) {
        put(h, at, h->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(h, at, e);
}

static void sift_down(struct due_heap *h, size_t at)
{
    struct due_entry *e = h->entries[at];
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && is_before(h->entries[child + 1], h->entries[child])) {
            child++;
        }
        if (!is_before(h->entries[child], e)) {
            break;
        }
        put(h, at, h->entries[child]);
    }
    put(h, at, e);
}

void due_heap_add(struct due_heap *h, struct due_entry *e, int64_t due_us)
{
    INVARIANT(e->place == 0);
    e->due_us = due_us;
    e->number = h->added_count++;
    if (h->count == h->capacity) {
        h->capacity = h->capacity == 0 ? 16 : h->capacity * 2;
        h->entries = memory_resize(h->entries, h->capacity * sizeof(struct due_entry *));
    }
    h->entries[h->count++] = e;
    sift_up(h, h->count - 1);
}

void due_heap_remove(struct due_heap *h, struct due_entry *e)
{
    if (e->place == 0) {
        return;
    }
    size_t at = e->place - 1;
    e->place = 0;
    struct due_entry *last = h->entries[--h->count];
    if (last == e) {
        return;
    }
    h->entries[at] = last;
    sift_up(h, at);
    sift_down(h, last->place - 1);
}

void due_heap_clear(struct due_heap *h)
{
    INVARIANT(h->count == 0);
    free(h->entries);
    *h = (struct due_heap){0};
}
