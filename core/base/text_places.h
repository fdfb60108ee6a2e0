// Where the parts of a text come from: a text that was made from a file keeps the file's lines and columns.
#ifndef CORE_BASE_TEXT_PLACES_H
#define CORE_BASE_TEXT_PLACES_H

#include <stddef.h>
#include <stdint.h>

/** What begins at this offset stands at this line and column of the file, counted from 1. */
struct text_place {
    uint32_t at;
    uint32_t line;
    uint32_t column;
};

/** In the order of their offsets. Zero-initialised is empty. */
struct text_places {
    struct text_place *items;
    size_t count;
    size_t capacity;
};

/** Adds a place; `at` is not below that of the one before. */
void text_places_add(struct text_places *p, size_t at, uint32_t line, uint32_t column);

/** The last place at or before the offset; NULL: none. */
const struct text_place *text_places_find(const struct text_places *p, size_t at);

void text_places_clear(struct text_places *p);

#endif
