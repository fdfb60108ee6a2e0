#include "bridge/filter/alternatives.h"

#include "core/base/memory.h"

void alternatives_clear(struct alternatives *a)
{
    for (size_t i = 0; i < a->count; i++) {
        free(a->items[i].items);
    }
    free(a->items);
    *a = (struct alternatives){0};
}

static void list_add(struct clause_list *list, struct clause *clause)
{
    list->items = memory_resize(list->items, (list->count + 1) * sizeof(struct clause *));
    list->items[list->count++] = clause;
}

void alternatives_add(struct alternatives *to, const struct alternatives *from)
{
    to->items = memory_resize(to->items, (to->count + from->count + 1) * sizeof *to->items);
    for (size_t i = 0; i < from->count; i++) {
        struct clause_list copy = {memory_new((from->items[i].count + 1) * sizeof(struct clause *)), 0};
        for (; copy.count < from->items[i].count; copy.count++) {
            copy.items[copy.count] = from->items[i].items[copy.count];
        }
        to->items[to->count++] = copy;
    }
}

bool alternatives_have_path(const struct alternatives *a, struct slice path)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < a->items[i].count; k++) {
            if (slice_equal(a->items[i].items[k]->path, path)) {
                return true;
            }
        }
    }
    return false;
}

size_t alternatives_cost(const struct alternatives *a)
{
    size_t cost = 0;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < a->items[i].count; k++) {
            const struct clause *clause = a->items[i].items[k];
            cost += 1 + clause->column_count;
            for (size_t n = 0; n < clause->condition_count; n++) {
                cost += condition_cost(&clause->conditions[n]);
            }
        }
    }
    return cost;
}

void alternatives_require(struct alternatives *a, struct clause *wanted, struct clause *absent)
{
    struct alternatives more = {0};
    if (wanted != NULL && absent != NULL) {
        alternatives_add(&more, a);
    }
    for (size_t i = 0; i < a->count; i++) {
        list_add(&a->items[i], wanted != NULL ? wanted : absent);
    }
    for (size_t i = 0; i < more.count; i++) {
        list_add(&more.items[i], absent);
    }
    alternatives_add(a, &more);
    alternatives_clear(&more);
}
