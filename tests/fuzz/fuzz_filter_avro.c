// Any bytes as the value of a record: the filter reads nothing beyond them, and sees what a function would
// see.
#include "bridge/filter/avro_event.h"
#include "bridge/filter/match.h"
#include "core/base/memory.h"
#include "schemas/json/event_view.h"
#include "tests/unit/bridge/filter/order_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const PATTERNS[] = {
    "{\"op\":[\"u\",\"c\"],\"after\":{\"status\":[{\"anything-but\":\"paid\"}],\"id\":[{\"numeric\":[\">\",0]"
    "}]}}",
    "{\"after\":{\"total\":[{\"numeric\":[\"<\",5]}],\"any_number\":[{\"numeric\":[\">=\",1]}],\"raw\":[{"
    "\"prefix\":\"A\"}]}}",
    "{\"before\":{\"day\":[{\"suffix\":\"1\"}],\"at\":[{\"exists\":true}],\"made\":[{\"wildcard\":\"2*\"}]}}",
    "{\"after\":{\"doc\":{\"a\":{\"b\":[\"x\",1]}},\"paid\":[true,false],\"ratio\":[\"NaN\",0.25]}}",
    "{\"after\":{\"tags\":[\"new\",null],\"attributes\":{\"colour\":[\"red\"]},\"items\":{\"sku\":[\"A-1\"],"
    "\"count\":[2]}}}",
    "{\"$or\":[{\"after\":{\"items\":{\"x\":[{\"exists\":false}]}}},{\"source\":{\"txId\":[null],\"table\":["
    "\"orders\"]}}]}",
};
enum { PATTERN_COUNT = sizeof PATTERNS / sizeof PATTERNS[0] };

static struct pattern *patterns[PATTERN_COUNT];
static struct pattern *changes;
static struct avro_type *type;

static void prepare(void)
{
    static const struct text_places nowhere = {0};
    struct fault f;
    INVARIANT(avro_type_parse(slice_of(ORDER_SCHEMA), &type, &f));
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        INVARIANT(pattern_compile_function(slice_of(PATTERNS[i]), &nowhere, &patterns[i], &f));
    }
    INVARIANT(pattern_compile_function(slice_of("{\"changed\":[\"doc\",\"items\",\"tags\",\"status\"]}"),
                                       &nowhere, &changes, &f));
}

/** False: the bytes do not match the schema. */
static bool judge(const struct pattern *pattern, struct slice value, bool *ret)
{
    struct fault f;
    struct avro_event event = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    const struct avro_source source = {.value = value};
    struct avro_plan *plan = avro_plan_new(pattern, type, NULL);
    bool is_read = avro_event_read(&event, plan, &source, &f);
    if (is_read) {
        *ret = match_event(pattern, &AVRO_EVENT_OPS, avro_event_root(&event), &scratch);
        is_read = avro_event_finish(&event, &f);
    }
    avro_event_clear(&event);
    avro_plan_free(plan);
    return is_read;
}

static void compare(const struct pattern *pattern, struct slice value)
{
    struct fault f;
    CLEANUP(bytes_clear) struct bytes json = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    bool in_avro = false;
    bool is_read = judge(pattern, value, &in_avro);
    if (!event_view_encode(type, value, NULL, &json, &f) ||
        !json_tree_parse(bytes_slice(&json), (struct json_place){1, 1}, &tree, &f)) {
        return;
    }
    INVARIANT(is_read);
    bool in_json = match_event(pattern, &JSON_EVENT_OPS, json_tree_value(&tree, &tree.nodes[0]), &scratch);
    INVARIANT(in_avro == in_json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool verdict;
    if (type == NULL) {
        prepare();
    }
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        compare(patterns[i], slice_make(data, size));
    }
    (void)judge(changes, slice_make(data, size), &verdict);
    return 0;
}
