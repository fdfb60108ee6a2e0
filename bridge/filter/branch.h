// One alternative of a pattern: clauses that must all hold at once, as a tree of their paths.
#ifndef BRIDGE_FILTER_BRANCH_H
#define BRIDGE_FILTER_BRANCH_H

#include "bridge/filter/condition.h"

/** A column that `changed` names, in the row before the change and in the row after it. */
struct clause_column {
    struct filter_step before[2];
    struct filter_step after[2];
};

/**
 * A path and what its value must be: at least one condition holds, or with is_absent there is no value. With
 * columns there is no path: one of them has changed.
 */
struct clause {
    struct slice path;  // "detail.state"
    struct filter_step *steps;
    uint32_t step_count;
    uint32_t term;  // of its pattern
    struct condition *conditions;
    size_t condition_count;
    bool is_absent;
    struct clause_column *columns;
    size_t column_count;
};

/** The place of the tree behind the first `depth` steps. */
struct branch_node {
    const struct filter_step *step;
    const struct clause *clause;  // that ends here; NULL: none
    uint32_t child;               // 0: none
    uint32_t next;                // 0: none
    uint32_t depth;
    bool has_positive_child;  // a clause below asks for a value
    bool has_positive;        // or the one that ends here
};

/**
 * A clause that wants no value. event-ruler compares it with the array elements that clauses with lesser
 * paths have chosen: in an array at most `bound` steps down it looks into the chosen element, deeper down
 * into all.
 */
struct branch_absence {
    const struct clause *clause;
    int bound;  // -1: in all elements of every array
};

struct branch {
    struct branch_node *nodes;  // nodes[0] is the event itself
    uint32_t count;
    struct branch_absence *absences;
    size_t absence_count;
    const struct clause **changes;  // the clauses with columns
    size_t change_count;
};

/** Makes the tree of these clauses, which it borrows. */
void branch_init(struct branch *b, const struct clause *const *clauses, size_t count);
void branch_clear(struct branch *b);

#endif
