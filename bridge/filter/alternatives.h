// The alternatives of a pattern while it is compiled: `$or` multiplies its objects with what stands beside
// it, so that each alternative is a plain list of clauses.
#ifndef BRIDGE_FILTER_ALTERNATIVES_H
#define BRIDGE_FILTER_ALTERNATIVES_H

#include "bridge/filter/branch.h"

/** The clauses of one alternative. */
struct clause_list {
    struct clause **items;
    size_t count;
};

struct alternatives {
    struct clause_list *items;
    size_t count;
};

void alternatives_clear(struct alternatives *a);

/** Adds copies of the lists of `from`. */
void alternatives_add(struct alternatives *to, const struct alternatives *from);

bool alternatives_have_path(const struct alternatives *a, struct slice path);

/** How many comparisons they may take. */
size_t alternatives_cost(const struct alternatives *a);

/** Each alternative with `wanted`; with both, each twice: once with either. NULL: not asked for. */
void alternatives_require(struct alternatives *a, struct clause *wanted, struct clause *absent);

#endif
