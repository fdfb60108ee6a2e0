// Errors or warnings about configuration files: each has its place, and all are shown together.
#ifndef CORE_CONFIG_COMPLAINTS_H
#define CORE_CONFIG_COMPLAINTS_H

#include <stdbool.h>

#include "core/base/bytes.h"

struct complaint;

/** Zero-initialised is empty. */
struct complaints {
    struct complaint *items;
    size_t count;
    size_t capacity;
};

/**
 * Adds one complaint.
 *
 * @param line    from 1; 0 when it concerns the whole file (for instance a missing one)
 * @param column  from 1, in characters
 */
void complaints_add(struct complaints *c, const char *file, int line, int column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Appends a line for each, `FILE:LINE:COLUMN: WORD: TEXT`, sorted by file and place. */
void complaints_write(struct complaints *c, const char *word, struct bytes *out);

/** Accepts NULL. */
void complaints_clear(struct complaints *c);

#endif
