// The tests of a function, `tests:` in its file: events, and what must come of them.
//
//   tests:
//     - name: a paid order is sent
//       event: {op: u, key: {id: 7}, before: {status: new}, after: {id: 7, status: paid}}
//       expect: delivered                  # or filtered; of several events a list
//       request: {headers: {ce-type: millrace.change.update}, body: {/after/status: paid}}
//     - events: orders.jsonl               # a file beside the function's, an event a line; or a list of
//     events
//       expect: [delivered, filtered]
#ifndef BRIDGE_CONFIG_FUNCTION_TEST_H
#define BRIDGE_CONFIG_FUNCTION_TEST_H

#include "bridge/filter/json_tree.h"
#include "core/config/config_tree.h"

/** One test. All nodes are of the list's tree; NULL: the key is absent. */
struct function_test {
    const struct json_node *node;  // the test itself
    const struct json_node *name;
    const struct json_node *event;   // an object
    const struct json_node *events;  // a list of objects, or the name of a file
    const struct json_node *expect;  // `delivered` or `filtered`, or a list of these
    const struct json_node *url;
    const struct json_node *headers;
    const struct json_node *body;
};

/** Zero-initialised is empty. Borrows the configuration's tree. */
struct function_tests {
    struct json_tree tree;
    struct function_test *items;
    size_t count;
};

/** Reads the tests. False: FAULT_CONFIG, "LINE:COLUMN: reason" with the place in the function's file. An
 * unset tree has no tests. */
bool function_tests_read(const struct config_tree *tree, struct function_tests *ret,
                         struct fault *f) MUST_USE;
void function_tests_clear(struct function_tests *t);

#endif
