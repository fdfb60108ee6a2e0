#include "bridge/filter/step_table.h"

#include "core/base/memory.h"

static struct slice join(const struct step_table *t, uint32_t parent, struct slice name)
{
    CLEANUP(bytes_clear) struct bytes path = {0};
    if (parent != STEP_EVENT) {
        bytes_append_slice(&path, t->items[parent].path);
        bytes_append_byte(&path, '.');
    }
    bytes_append_slice(&path, name);
    return (struct slice){(uint8_t *)slice_to_string(bytes_slice(&path)), path.size};
}

struct filter_step step_table_add(struct step_table *t, uint32_t parent, struct slice name)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->items[i].parent == parent && slice_equal(t->items[i].name, name)) {
            return (struct filter_step){t->items[i].name, i};
        }
    }
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 16 : t->capacity * 2;
        t->items = memory_resize(t->items, t->capacity * sizeof *t->items);
    }
    struct slice path = join(t, parent, name);
    struct slice end = slice_make(path.data + path.size - name.size, name.size);
    t->items[t->count] = (struct pattern_step){path, end, parent, t->place};
    return (struct filter_step){end, t->count++};
}

uint32_t step_table_split(struct step_table *t, struct slice path, struct filter_step **ret)
{
    const uint8_t *start = path.data;
    const uint8_t *end = start + path.size;
    uint32_t count = 1;
    for (const uint8_t *at = start; at < end; at++) {
        count += *at == '.' ? 1 : 0;
    }
    struct filter_step *steps = memory_zeroed(count, sizeof *steps);
    uint32_t parent = STEP_EVENT;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *dot = start < end ? memchr(start, '.', (size_t)(end - start)) : NULL;
        const uint8_t *stop = dot == NULL ? end : dot;
        steps[i] = step_table_add(t, parent, slice_make(start, (size_t)(stop - start)));
        parent = steps[i].id;
        start = dot == NULL ? end : dot + 1;
    }
    *ret = steps;
    return count;
}

void step_table_clear(struct step_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        free((void *)(uintptr_t)t->items[i].path.data);
    }
    free(t->items);
    *t = (struct step_table){0};
}
