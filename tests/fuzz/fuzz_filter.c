// Any bytes as a pattern, a line end, and an event.
#include "bridge/filter/json_tree.h"
#include "bridge/filter/match.h"
#include "core/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    const struct json_place start = {1, 1};
    struct fault f = {0};
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    CLEANUP(json_tree_clear) struct json_tree event = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    size_t pattern_size = end == NULL ? size : (size_t)(end - data);
    if (!pattern_compile(slice_make(data, pattern_size), start, &pattern, &f)) {
        INVARIANT(f.kind == FAULT_CONFIG && f.text[0] != '\0');
        return 0;
    }
    if (end == NULL || !json_tree_parse(slice_make(end + 1, size - pattern_size - 1), start, &event, &f)) {
        return 0;
    }
    if (event.nodes[0].kind == FILTER_OBJECT) {
        struct filter_value root = json_tree_value(&event, &event.nodes[0]);
        bool is_match = match_event(pattern, &JSON_TREE_OPS, root, &scratch);
        INVARIANT((match_explain(pattern, &JSON_TREE_OPS, root, &scratch) == NULL) == is_match);
    }
    return 0;
}
