// Walks the event and the tree of a branch's paths together. An array stands for one of its elements, the
// same for all clauses below it; a value directly in an array is free of that (as in event-ruler, which
// numbers only the elements that are objects or arrays).
#include "bridge/filter/match.h"

#include <stdio.h>

struct matcher {
    const struct branch *branch;
    const struct filter_value_ops *ops;
    struct bytes *scratch;
};

/** How a node is looked at. */
struct view {
    int entered;      // depth of the last array that an element was chosen of; -1: none
    bool has_clause;  // the clause that ends at this node is still to be satisfied
};

static bool is_leaf(enum filter_kind kind)
{
    return kind != FILTER_OBJECT && kind != FILTER_ARRAY;
}

/** Whether there is any value at the clause's path, whose first `depth` steps lead to this one. */
static bool has_value(const struct matcher *m, const struct clause *clause, uint32_t depth,
                      struct filter_value value)
{
    enum filter_kind kind = m->ops->kind(value);
    struct filter_value inner;
    if (kind == FILTER_ARRAY) {
        for (uint64_t state = 0; m->ops->next(value, &state, &inner);) {
            if (has_value(m, clause, depth, inner)) {
                return true;
            }
        }
        return false;
    }
    if (kind == FILTER_OBJECT) {
        return depth < clause->step_count && m->ops->member(value, &clause->steps[depth], &inner) &&
               has_value(m, clause, depth + 1, inner);
    }
    return depth == clause->step_count;
}

/** Whether the absent clause is below this node or at it. */
static bool is_below(const struct matcher *m, const struct clause *clause, const struct branch_node *node)
{
    const struct branch_node *nodes = m->branch->nodes;
    uint32_t at = 0;
    for (uint32_t i = 0; i < node->depth; i++) {
        if (i == clause->step_count) {
            return false;
        }
        for (at = nodes[at].child; !slice_equal(nodes[at].step->name, clause->steps[i].name);) {
            at = nodes[at].next;
        }
    }
    return &nodes[at] == node;
}

/** For an array: what must be absent from all of its elements is. */
static bool holds_absences(const struct matcher *m, const struct branch_node *node, struct filter_value array,
                           int entered)
{
    for (size_t i = 0; i < m->branch->absence_count; i++) {
        const struct branch_absence *absence = &m->branch->absences[i];
        bool is_due = absence->bound < (int)node->depth && absence->bound >= entered;
        if (is_due && is_below(m, absence->clause, node) &&
            has_value(m, absence->clause, node->depth, array)) {
            return false;
        }
    }
    return true;
}

static bool clause_holds(const struct matcher *m, const struct clause *clause, struct filter_value value)
{
    struct condition_value v;
    bytes_reset(m->scratch);
    condition_value_read(&v, m->ops, value, m->scratch);
    for (size_t i = 0; i < clause->condition_count; i++) {
        if (condition_holds(&clause->conditions[i], &v)) {
            return true;
        }
    }
    return false;
}

static bool node_holds(const struct matcher *m, const struct branch_node *node, struct filter_value value,
                       struct view view);

static bool object_holds(const struct matcher *m, const struct branch_node *node, struct filter_value object,
                         struct view view)
{
    if (view.has_clause && node->clause != NULL && !node->clause->is_absent) {
        return false;
    }
    for (uint32_t child = node->child; child != 0; child = m->branch->nodes[child].next) {
        const struct branch_node *below = &m->branch->nodes[child];
        struct filter_value member;
        if (!m->ops->member(object, below->step, &member)) {
            if (below->has_positive) {
                return false;
            }
        } else if (!node_holds(m, below, member, (struct view){view.entered, true})) {
            return false;
        }
    }
    return true;
}

static bool leaf_holds(const struct matcher *m, const struct branch_node *node, struct filter_value value,
                       struct view view)
{
    if (node->has_positive_child) {
        return false;
    }
    if (!view.has_clause || node->clause == NULL) {
        return true;
    }
    if (!node->clause->is_absent) {
        return clause_holds(m, node->clause, value);
    }
    for (size_t i = 0; i < m->branch->absence_count; i++) {
        if (m->branch->absences[i].clause == node->clause) {
            return m->branch->absences[i].bound < view.entered;  // already looked for in that array
        }
    }
    return false;
}

static bool some_element_holds(const struct matcher *m, const struct branch_node *node,
                               struct filter_value array, struct view view)
{
    struct filter_value element;
    for (uint64_t state = 0; m->ops->next(array, &state, &element);) {
        if (node_holds(m, node, element, view)) {
            return true;
        }
    }
    return false;
}

/** Whether a value that is directly in the array satisfies the clause that ends here. */
static bool some_leaf_holds(const struct matcher *m, const struct branch_node *node,
                            struct filter_value array)
{
    struct filter_value element;
    for (uint64_t state = 0; m->ops->next(array, &state, &element);) {
        if (is_leaf(m->ops->kind(element)) && clause_holds(m, node->clause, element)) {
            return true;
        }
    }
    return false;
}

static bool array_holds(const struct matcher *m, const struct branch_node *node, struct filter_value array,
                        struct view view)
{
    int depth = (int)node->depth;
    if (!view.has_clause || node->clause == NULL || node->clause->is_absent) {
        return holds_absences(m, node, array, view.entered) &&
               (!node->has_positive_child ||
                some_element_holds(m, node, array, (struct view){depth, view.has_clause}));
    }
    if (some_leaf_holds(m, node, array) && holds_absences(m, node, array, view.entered)) {
        // Else inner arrays can't satisfy the clauses below either: they are among the elements that were
        // asked. Asked once more at each depth, the cost would double with each.
        return !node->has_positive_child || some_element_holds(m, node, array, (struct view){depth, false});
    }
    // A value of an inner array chooses that array, before what is absent below is compared.
    struct filter_value element;
    for (uint64_t state = 0; m->ops->next(array, &state, &element);) {
        if (m->ops->kind(element) == FILTER_ARRAY && array_holds(m, node, element, view)) {
            return true;
        }
    }
    return false;
}

static bool node_holds(const struct matcher *m, const struct branch_node *node, struct filter_value value,
                       struct view view)
{
    enum filter_kind kind = m->ops->kind(value);
    return kind == FILTER_OBJECT  ? object_holds(m, node, value, view)
           : kind == FILTER_ARRAY ? array_holds(m, node, value, view)
                                  : leaf_holds(m, node, value, view);
}

static bool find_row(const struct matcher *m, struct filter_value event, const struct filter_step *step,
                     struct filter_value *ret)
{
    return m->ops->member(event, step, ret) && m->ops->kind(*ret) == FILTER_OBJECT;
}

static const char UNCHANGED[] = "__debezium_unavailable_value";
static const char UNCHANGED_BYTES[] = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==";  // its base64

/** Whether an array's element is what the sign has there: all of it, or in arrays of numbers a character. */
static bool is_sign(const struct matcher *m, struct filter_value element, size_t index, bool *ret_is_whole)
{
    enum filter_kind kind = m->ops->kind(element);
    struct decimal number;
    struct decimal character;
    char digits[12];
    bytes_reset(m->scratch);
    *ret_is_whole = kind == FILTER_TEXT;
    if (kind == FILTER_TEXT) {
        return index == 0 && slice_equal(m->ops->text(element, m->scratch), slice_of(UNCHANGED));
    }
    if (kind != FILTER_NUMBER || index >= sizeof UNCHANGED - 1) {
        return false;
    }
    (void)snprintf(digits, sizeof digits, "%d", UNCHANGED[index]);
    return decimal_read(m->ops->number(element, m->scratch), &number) &&
           decimal_read(slice_of(digits), &character) && decimal_compare(&number, &character) == 0;
}

static bool is_unchanged_array(const struct matcher *m, struct filter_value array)
{
    struct filter_value element;
    size_t count = 0;
    bool is_whole = false;
    for (uint64_t state = 0; m->ops->next(array, &state, &element); count++) {
        if (!is_sign(m, element, count, &is_whole)) {
            return false;
        }
    }
    return count == (is_whole ? 1 : sizeof UNCHANGED - 1);
}

/** Whether the column's value is the sign that it was not sent because it did not change (TOAST). */
static bool is_unchanged(const struct matcher *m, struct filter_value value)
{
    enum filter_kind kind = m->ops->kind(value);
    if (kind == FILTER_ARRAY) {
        return is_unchanged_array(m, value);
    }
    if (kind != FILTER_TEXT) {
        return false;
    }
    bytes_reset(m->scratch);
    struct slice text = m->ops->text(value, m->scratch);
    return slice_equal(text, slice_of(UNCHANGED)) || slice_equal(text, slice_of(UNCHANGED_BYTES));
}

/** Whether one of the columns differs. A row that comes or goes changes every column that it has. */
static bool change_holds(const struct matcher *m, const struct clause *clause, struct filter_value event)
{
    struct filter_value row_before;
    struct filter_value row_after;
    bool has_before = find_row(m, event, &clause->columns[0].before[0], &row_before);
    bool has_after = find_row(m, event, &clause->columns[0].after[0], &row_after);
    for (size_t i = 0; i < clause->column_count; i++) {
        const struct clause_column *column = &clause->columns[i];
        struct filter_value before;
        struct filter_value after;
        bool was = has_before && m->ops->member(row_before, &column->before[1], &before);
        bool is = has_after && m->ops->member(row_after, &column->after[1], &after);
        bool differs = was != is || (was && !m->ops->same(before, after));
        bool is_left_out = has_after && !is && m->ops->is_left_out != NULL &&
                           m->ops->is_left_out(row_after, &column->after[1]);
        if (differs && !is_left_out && !(is && is_unchanged(m, after))) {
            return true;
        }
    }
    return false;
}

static bool branch_holds(const struct branch *branch, const struct filter_value_ops *ops,
                         struct filter_value event, struct bytes *scratch)
{
    const struct matcher m = {branch, ops, scratch};
    for (size_t i = 0; i < branch->change_count; i++) {
        if (!change_holds(&m, branch->changes[i], event)) {
            return false;
        }
    }
    return node_holds(&m, &branch->nodes[0], event, (struct view){-1, true});
}

bool match_event(const struct pattern *p, const struct filter_value_ops *ops, struct filter_value event,
                 struct bytes *scratch)
{
    for (size_t i = 0; i < pattern_branch_count(p); i++) {
        if (branch_holds(pattern_branch(p, i), ops, event, scratch)) {
            return true;
        }
    }
    return false;
}

static bool matches_terms(const struct pattern *p, size_t terms, const struct filter_value_ops *ops,
                          struct filter_value event, struct bytes *scratch)
{
    for (size_t i = 0; i < pattern_branch_count(p); i++) {
        CLEANUP(branch_clear) struct branch branch;
        pattern_branch_of_terms(p, i, terms, &branch);
        if (branch_holds(&branch, ops, event, scratch)) {
            return true;
        }
    }
    return false;
}

const struct pattern_term *match_explain(const struct pattern *p, const struct filter_value_ops *ops,
                                         struct filter_value event, struct bytes *scratch)
{
    size_t good = 0;  // so many terms match, and `bad` do not
    size_t bad = pattern_term_count(p);
    if (match_event(p, ops, event, scratch)) {
        return NULL;
    }
    while (bad - good > 1) {
        size_t middle = good + (bad - good) / 2;
        *(matches_terms(p, middle, ops, event, scratch) ? &good : &bad) = middle;
    }
    return pattern_term(p, bad - 1);
}
