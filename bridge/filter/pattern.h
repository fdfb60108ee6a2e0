// A filter pattern in the language of Amazon EventBridge and AWS Lambda, compiled once and then only read.
#ifndef BRIDGE_FILTER_PATTERN_H
#define BRIDGE_FILTER_PATTERN_H

#include "bridge/filter/branch.h"
#include "bridge/filter/pattern_term.h"
#include "bridge/filter/step_table.h"

struct pattern;

/**
 * Compiles the filter of a function, whose events have key, headers, op, before, after and source. The text
 * was made from a file: `places` is lent until the pattern is freed.
 */
bool pattern_compile_function(struct slice text, const struct text_places *places, struct pattern **ret,
                              struct fault *f) MUST_USE;

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

/** The steps, each behind its parent. */
size_t pattern_step_count(const struct pattern *p);
const struct pattern_step *pattern_step(const struct pattern *p, size_t index);

/** Whether it asks which columns have changed. */
bool pattern_asks_changes(const struct pattern *p);

/** The alternatives, of which one must hold. */
size_t pattern_branch_count(const struct pattern *p);
const struct branch *pattern_branch(const struct pattern *p, size_t index);

/** An alternative with its clauses of the first `terms` terms only; the caller clears it. */
void pattern_branch_of_terms(const struct pattern *p, size_t index, size_t terms, struct branch *ret);

#endif
