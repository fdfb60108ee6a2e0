// From a pattern's JSON to the clauses of its alternatives.
#ifndef BRIDGE_FILTER_PATTERN_PARTS_H
#define BRIDGE_FILTER_PATTERN_PARTS_H

#include "bridge/filter/alternatives.h"
#include "bridge/filter/pattern_term.h"
#include "bridge/filter/step_table.h"

/** Zero-initialised is empty. */
struct pattern_parts {
    struct json_tree tree;
    struct clause **clauses;
    size_t clause_count;
    struct pattern_term *terms;
    size_t term_count;
    struct alternatives alternatives;
    struct step_table steps;
    bool asks_changes;
};

/** Compiles p->tree. `is_function`: its root has only the members of a function's events. */
bool pattern_parts_compile(struct pattern_parts *p, bool is_function, struct fault *f) MUST_USE;
void pattern_parts_clear(struct pattern_parts *p);

#endif
