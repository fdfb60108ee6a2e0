// One member of a pattern's leaf: a literal, or an operator with its argument.
#ifndef BRIDGE_FILTER_CONDITION_H
#define BRIDGE_FILTER_CONDITION_H

#include "bridge/filter/decimal.h"
#include "bridge/filter/ip_address.h"
#include "bridge/filter/json_tree.h"
#include "bridge/filter/letter_case.h"
#include "bridge/filter/wildcard.h"

enum condition_kind {
    CONDITION_NULL,
    CONDITION_FALSE,
    CONDITION_TRUE,
    CONDITION_TEXT,
    CONDITION_PREFIX,
    CONDITION_SUFFIX,
    CONDITION_CASE,
    CONDITION_CASE_PREFIX,
    CONDITION_CASE_SUFFIX,
    CONDITION_WILDCARD,
    CONDITION_ADDRESS,
    CONDITION_NUMBER,
    CONDITION_ANYTHING_BUT,
    CONDITION_EXISTS,
    CONDITION_ABSENT,  // true only where there is no value
};

/** Bounds of numbers; a missing one has `has_` false. */
struct condition_numbers {
    struct decimal low;
    struct decimal high;
    bool has_low;
    bool has_high;
    bool is_low_open;
    bool is_high_open;
};

struct condition {
    enum condition_kind kind;
    struct slice text;  // borrowed from the pattern's tree, as the digits of numbers
    struct letter_case letters;
    struct wildcard wildcard;
    struct ip_range range;
    struct condition_numbers numbers;
    struct condition *others;  // of anything-but: what the value must not be
    size_t other_count;
};

/** A value without members or elements, read when a condition asks for it. */
struct condition_value {
    const struct filter_value_ops *ops;
    struct filter_value value;
    enum filter_kind kind;
    struct slice text;  // of a text or number
    struct decimal number;
    bool has_number;
    bool is_number_tried;  // whether the text is one
};

/** Every operator, and other names that stand for something within `$or`; NULL-ended. */
extern const char *const CONDITION_OPERATORS[];
extern const char *const CONDITION_RESERVED[];

/** Compiles one member of a leaf's array; false: FAULT_REJECT with its place. */
bool condition_init(struct condition *c, const struct json_tree *tree, const struct json_node *node,
                    struct fault *f) MUST_USE;
void condition_clear(struct condition *c);

/** How many comparisons of a value it may take. */
size_t condition_cost(const struct condition *c);

/** Reads the value; `scratch` holds its text. */
void condition_value_read(struct condition_value *v, const struct filter_value_ops *ops,
                          struct filter_value value, struct bytes *scratch);

bool condition_holds(const struct condition *c, struct condition_value *v);

#endif
