#include "core/config/complaints.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/memory.h"

struct complaint {
    char *file;
    int line;
    int column;
    size_t number;  // order of arrival: keeps the sort stable
    char *text;
};

void complaints_add(struct complaints *c, const char *file, int line, int column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    INVARIANT(length >= 0);
    if (c->count == c->capacity) {
        c->capacity = c->capacity == 0 ? 8 : c->capacity * 2;
        c->items = memory_resize(c->items, c->capacity * sizeof(*c->items));
    }
    c->items[c->count] = (struct complaint){memory_string(file), line, column, c->count, text};
    c->count++;
}

static int compare(const void *left, const void *right)
{
    const struct complaint *a = left;
    const struct complaint *b = right;
    int files = strcmp(a->file, b->file);
    if (files != 0) {
        return files;
    }
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    if (a->column != b->column) {
        return a->column < b->column ? -1 : 1;
    }
    return a->number < b->number ? -1 : 1;
}

void complaints_write(struct complaints *c, const char *word, struct bytes *out)
{
    if (c->count == 0) {
        return;
    }
    qsort(c->items, c->count, sizeof(*c->items), compare);
    for (size_t i = 0; i < c->count; i++) {
        const struct complaint *one = &c->items[i];
        if (one->line > 0) {
            bytes_format(out, "%s:%d:%d: %s: %s\n", one->file, one->line, one->column, word, one->text);
        } else {
            bytes_format(out, "%s: %s: %s\n", one->file, word, one->text);
        }
    }
}

void complaints_clear(struct complaints *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->count; i++) {
        free(c->items[i].file);
        free(c->items[i].text);
    }
    free(c->items);
    *c = (struct complaints){0};
}
