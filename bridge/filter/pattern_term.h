// What a pattern may have, and its parts as the user sees them.
#ifndef BRIDGE_FILTER_PATTERN_TERM_H
#define BRIDGE_FILTER_PATTERN_TERM_H

#include "bridge/filter/json_tree.h"

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

#endif
