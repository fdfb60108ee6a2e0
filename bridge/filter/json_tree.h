// A JSON text as a tree that keeps what other parsers lose: places, and numbers digit by digit.
#ifndef BRIDGE_FILTER_JSON_TREE_H
#define BRIDGE_FILTER_JSON_TREE_H

#include "bridge/filter/filter_value.h"
#include "core/base/fault.h"
#include "core/base/text_places.h"

/** That of JSON_CHECK_DEPTH_MAX: a text that requests embed as JSON is JSON here, too. */
enum { JSON_TREE_DEPTH_MAX = 512 };

/** Counted from 1; columns are characters. */
struct json_place {
    uint32_t line;
    uint32_t column;
};

struct json_node {
    enum filter_kind kind;
    struct slice text;  // a string without escapes, a number as it was written
    struct slice name;  // as a member of an object
    uint32_t at;        // offsets in the text
    uint32_t end;
    uint32_t name_at;
    uint32_t child;  // the first member or element, and the next of its parent; 0: none
    uint32_t next;
    uint32_t count;
};

/** Zero-initialised is empty. nodes[0] is the root. Borrows the text. */
struct json_tree {
    struct slice source;
    struct json_place start;
    const struct text_places *places;  // lent; NULL: `source` is as it stands in its file
    struct json_node *nodes;
    uint32_t count;
    uint32_t capacity;
    struct bytes strings;
};

extern const struct filter_value_ops JSON_TREE_OPS;
extern const struct filter_value_ops JSON_EVENT_OPS;  // with has_decimal_texts

/** Parses one JSON value (RFC 8259) and nothing behind it. `start` is where the text begins in its file.
 * False: FAULT_REJECT, "LINE:COLUMN: reason". */
bool json_tree_parse(struct slice text, struct json_place start, struct json_tree *ret,
                     struct fault *f) MUST_USE;
/** As json_tree_parse, for a text that was made from a file: `places` is lent until the tree is cleared. */
bool json_tree_parse_placed(struct slice text, const struct text_places *places, struct json_tree *ret,
                            struct fault *f) MUST_USE;
void json_tree_clear(struct json_tree *t);

/** Adds a copy of the node, which belongs to no other yet; pointers to nodes are invalid then. */
uint32_t json_tree_add(struct json_tree *t, struct json_node node);

/** The place of the byte at this offset. */
struct json_place json_tree_place(const struct json_tree *t, size_t at);

/** Splits "LINE:COLUMN: reason", as the faults here are, and returns the reason; 1:1 without a place. */
const char *json_place_split(const char *text, struct json_place *ret);

/** Fills the fault with "LINE:COLUMN: …" and returns false. */
bool json_tree_refuse(const struct json_tree *t, size_t at, struct fault *f, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The last member of that name; NULL: none. */
const struct json_node *json_tree_member(const struct json_tree *t, const struct json_node *object,
                                         struct slice name);

static inline const struct json_node *json_tree_child(const struct json_tree *t, const struct json_node *node)
{
    return node->child == 0 ? NULL : &t->nodes[node->child];
}

static inline const struct json_node *json_tree_next(const struct json_tree *t, const struct json_node *node)
{
    return node->next == 0 ? NULL : &t->nodes[node->next];
}

static inline struct filter_value json_tree_value(const struct json_tree *t, const struct json_node *node)
{
    return (struct filter_value){t, (uint64_t)(node - t->nodes)};
}

#endif
