// A filter pattern in the language of Amazon EventBridge and AWS Lambda, compiled once and then only read.
#ifndef BRIDGE_FILTER_PATTERN_H
#define BRIDGE_FILTER_PATTERN_H

#include "bridge/filter/branch.h"

enum {
    PATTERN_SIZE_MAX = 64 * 1024,
    PATTERN_DEPTH_MAX = 64,  // names of one path
    PATTERN_BRANCHES_MAX = 1000,
    PATTERN_COST_MAX = 20000,  // comparisons over all alternatives
};

/** What must hold, as it is written: a leaf, or an outermost `$or` with all of its objects. */
struct pattern_term {
    struct slice path;
    struct json_place place;
    bool is_or;
};

struct pattern;

/** Compiles the text, which it copies; `start` is its place in its file. False: FAULT_CONFIG, "LINE:COLUMN:
 * reason". */
bool pattern_compile(struct slice text, struct json_place start, struct pattern **ret,
                     struct fault *f) MUST_USE;
void pattern_free(struct pattern *p);

/** For CLEANUP(pattern_free_pointer). */
static inline void pattern_free_pointer(struct pattern **p)
{
    pattern_free(*p);
}

/** The terms in the order of the text. */
size_t pattern_term_count(const struct pattern *p);
const struct pattern_term *pattern_term(const struct pattern *p, size_t index);

/** The alternatives, of which one must hold. */
size_t pattern_branch_count(const struct pattern *p);
const struct branch *pattern_branch(const struct pattern *p, size_t index);

/** An alternative with its clauses of the first `terms` terms only; the caller clears it. */
void pattern_branch_of_terms(const struct pattern *p, size_t index, size_t terms, struct branch *ret);

#endif
