#include "cli/supervise/metrics_sums.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/table.h"

struct sum {
    char *value;  // of the label
    double sum;
    UT_hash_handle hh;
};

struct metrics_sums {
    struct sum *table;
};

static void add(struct metrics_sums *s, struct slice value, double number)
{
    struct sum *found;
    HASH_FIND(hh, s->table, value.data, value.size, found);
    if (found == NULL) {
        found = memory_zeroed(1, sizeof(*found));
        found->value = slice_to_string(value);
        HASH_ADD_KEYPTR(hh, s->table, found->value, value.size, found);
    }
    found->sum += number;
}

/** @param rest  of the line, behind `beginning` */
static void add_line(struct metrics_sums *s, struct slice rest)
{
    const uint8_t *quote = memchr(rest.data, '"', rest.size);
    const uint8_t *blank = memrchr(rest.data, ' ', rest.size);
    if (quote == NULL || blank == NULL || blank < quote) {
        return;
    }
    CLEANUP(memory_free_pointer)
    char *number = slice_to_string(slice_make(blank, rest.size - (size_t)(blank - rest.data)));
    add(s, slice_make(rest.data, (size_t)(quote - rest.data)), strtod(number, NULL));
}

struct metrics_sums *metrics_sums_new(struct slice text, const char *beginning)
{
    struct metrics_sums *s = memory_zeroed(1, sizeof(*s));
    size_t size = strlen(beginning);
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t line_size = end == NULL ? text.size : (size_t)(end - text.data);
        if (line_size > size && memcmp(text.data, beginning, size) == 0) {
            add_line(s, slice_make(text.data + size, line_size - size));
        }
        line_size += end == NULL ? 0 : 1;
        text = slice_make(text.data + line_size, text.size - line_size);
    }
    return s;
}

double metrics_sums_of(const struct metrics_sums *s, const char *value)
{
    const struct sum *found;
    HASH_FIND_STR(s->table, value, found);
    return found == NULL ? 0 : found->sum;
}

void metrics_sums_free(struct metrics_sums *s)
{
    struct sum *found;
    struct sum *next;
    HASH_ITER (hh, s->table, found, next) {
        HASH_DEL(s->table, found);
        free(found->value);
        free(found);
    }
    free(s);
}
