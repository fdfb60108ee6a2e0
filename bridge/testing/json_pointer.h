// Values of a JSON text by JSON pointer (RFC 6901), and whether two values are equal.
#ifndef BRIDGE_TESTING_JSON_POINTER_H
#define BRIDGE_TESTING_JSON_POINTER_H

#include "bridge/filter/json_tree.h"

/** The value that the pointer names, "" the whole; NULL: there is none, or the pointer is none. */
const struct json_node *json_pointer_find(const struct json_tree *t, struct slice pointer);

/** Equal as JSON: members in any order, numbers by their value. */
bool json_pointer_equal(const struct json_tree *t, const struct json_node *a, const struct json_tree *u,
                        const struct json_node *b);

#endif
