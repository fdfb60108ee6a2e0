#include "bridge/filter/branch.h"

#include "core/base/memory.h"

static uint32_t child_of(struct branch *b, uint32_t parent, const struct filter_step *step)
{
    uint32_t *link = &b->nodes[parent].child;
    while (*link != 0) {
        if (slice_equal(b->nodes[*link].step->name, step->name)) {
            return *link;
        }
        link = &b->nodes[*link].next;
    }
    *link = b->count;
    b->nodes[b->count] = (struct branch_node){.step = step, .depth = b->nodes[parent].depth + 1};
    return b->count++;
}

static void add_clause(struct branch *b, const struct clause *clause)
{
    uint32_t node = 0;
    for (uint32_t i = 0; i < clause->step_count; i++) {
        b->nodes[node].has_positive_child |= !clause->is_absent;
        b->nodes[node].has_positive |= !clause->is_absent;
        node = child_of(b, node, &clause->steps[i]);
    }
    b->nodes[node].has_positive |= !clause->is_absent;
    b->nodes[node].clause = clause;
}

static bool is_path_less(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order < 0 || (order == 0 && a.size < b.size);
}

/** How many steps down an array may be whose element `other` has chosen before `absent` is compared. */
static int shared_depth(const struct clause *absent, const struct clause *other)
{
    uint32_t i = 0;
    while (i < absent->step_count && i < other->step_count &&
           slice_equal(absent->steps[i].name, other->steps[i].name)) {
        i++;
    }
    return i < other->step_count ? (int)i : (int)i - 1;
}

static void add_absence(struct branch *b, const struct clause *absent, const struct clause *const *clauses,
                        size_t count)
{
    struct branch_absence absence = {absent, -1};
    for (size_t i = 0; i < count; i++) {
        if (!clauses[i]->is_absent && clauses[i]->column_count == 0 &&
            is_path_less(clauses[i]->path, absent->path)) {
            int depth = shared_depth(absent, clauses[i]);
            absence.bound = depth > absence.bound ? depth : absence.bound;
        }
    }
    b->absences[b->absence_count++] = absence;
}

void branch_init(struct branch *b, const struct clause *const *clauses, size_t count)
{
    size_t steps = 1;
    size_t absent = 0;
    for (size_t i = 0; i < count; i++) {
        steps += clauses[i]->step_count;
        absent += clauses[i]->is_absent ? 1 : 0;
    }
    *b = (struct branch){.nodes = memory_zeroed(steps, sizeof *b->nodes), .count = 1};
    b->absences = absent == 0 ? NULL : memory_zeroed(absent, sizeof *b->absences);
    b->changes = memory_zeroed(count + 1, sizeof(struct clause *));
    for (size_t i = 0; i < count; i++) {
        if (clauses[i]->column_count > 0) {
            b->changes[b->change_count++] = clauses[i];
            continue;
        }
        add_clause(b, clauses[i]);
        if (clauses[i]->is_absent) {
            add_absence(b, clauses[i], clauses, count);
        }
    }
}

void branch_clear(struct branch *b)
{
    free(b->nodes);
    free(b->absences);
    free(b->changes);
    *b = (struct branch){0};
}
