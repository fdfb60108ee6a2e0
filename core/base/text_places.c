#include "core/base/text_places.h"

#include "core/base/memory.h"

void text_places_add(struct text_places *p, size_t at, uint32_t line, uint32_t column)
{
    INVARIANT(p->count == 0 || p->items[p->count - 1].at <= at);
    if (p->count == p->capacity) {
        p->capacity = p->capacity == 0 ? 16 : p->capacity * 2;
        p->items = memory_resize(p->items, p->capacity * sizeof *p->items);
    }
    p->items[p->count++] = (struct text_place){(uint32_t)at, line, column};
}

const struct text_place *text_places_find(const struct text_places *p, size_t at)
{
    size_t low = 0;  // the items before `low` are at or before the offset, those from `high` on are not
    size_t high = p->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->items[middle].at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? NULL : &p->items[low - 1];
}

void text_places_clear(struct text_places *p)
{
    free(p->items);
    *p = (struct text_places){0};
}
