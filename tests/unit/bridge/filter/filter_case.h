// What the filter's tests share: a pattern and an event in, a verdict out. Include it after cmocka.h.
#ifndef TESTS_UNIT_BRIDGE_FILTER_FILTER_CASE_H
#define TESTS_UNIT_BRIDGE_FILTER_FILTER_CASE_H

#include <stdio.h>

#include "bridge/filter/json_tree.h"
#include "bridge/filter/match.h"

#define FILTER_START ((struct json_place){1, 1})

static inline void filter_must_be(const char *pattern_text, const char *event_text, bool expected)
{
    struct fault f = {0};
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    CLEANUP(json_tree_clear) struct json_tree event = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    if (!pattern_compile(slice_of(pattern_text), FILTER_START, &pattern, &f) ||
        !json_tree_parse(slice_of(event_text), FILTER_START, &event, &f)) {
        fail_msg("%s on %s: %s", pattern_text, event_text, f.text);
    }
    struct filter_value root = json_tree_value(&event, &event.nodes[0]);
    if (match_event(pattern, &JSON_TREE_OPS, root, &scratch) != expected) {
        fail_msg("%s on %s is not %s", pattern_text, event_text, expected ? "true" : "false");
    }
    const struct pattern_term *term = match_explain(pattern, &JSON_TREE_OPS, root, &scratch);
    assert_int_equal(term == NULL, expected);
}

/** A leaf's array on one value: {"v": leaf} on {"v": value}. */
static inline void leaf_must_be(const char *leaf, const char *value, bool expected)
{
    CLEANUP(memory_free_pointer) char *pattern = memory_format("{\"v\":%s}", leaf);
    CLEANUP(memory_free_pointer) char *event = memory_format("{\"v\":%s}", value);
    filter_must_be(pattern, event, expected);
}

static inline void filter_must_refuse(const char *pattern_text, const char *message)
{
    struct fault f = {0};
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    if (pattern_compile(slice_of(pattern_text), FILTER_START, &pattern, &f)) {
        fail_msg("%s is not refused", pattern_text);
    }
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_string_equal(f.text, message);
}

#endif
