// bridge/filter/pattern and match: paths, $or, arrays, limits, and what an explanation names.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/bridge/filter/filter_case.h"

static void fields_are_anded_and_members_ored(void **state)
{
    (void)state;
    const char *pattern = "{\"a\":{\"b\":[\"x\",\"y\"]},\"c.d\":[1]}";
    filter_must_be(pattern, "{\"a\":{\"b\":\"y\"},\"c\":{\"d\":1},\"e\":null}", true);
    filter_must_be(pattern, "{\"a\":{\"b\":\"z\"},\"c\":{\"d\":1}}", false);
    filter_must_be(pattern, "{\"a\":{\"b\":\"x\"},\"c\":{\"d\":2}}", false);
    filter_must_be(pattern, "{\"a\":{\"b\":\"x\"}}", false);
    filter_must_be(pattern, "{\"a\":\"x\",\"c\":{\"d\":1}}", false);
    filter_must_be("{\"a.b\":[\"x\"]}", "{\"a\":{\"b\":\"x\"}}", true);
    filter_must_be("{\"a\":[\"x\"]}", "{\"a\":\"y\",\"a\":\"x\"}", true);  // the last of a name counts
    filter_must_be("{\"\":[1]}", "{\"\":1}", true);
}

static void or_takes_any_of_its_objects(void **state)
{
    (void)state;
    const char *pattern = "{\"s\":[\"m\"],\"$or\":[{\"a\":[1]},{\"b\":[2],\"c\":[3]}]}";
    filter_must_be(pattern, "{\"s\":\"m\",\"a\":1}", true);
    filter_must_be(pattern, "{\"s\":\"m\",\"b\":2,\"c\":3}", true);
    filter_must_be(pattern, "{\"s\":\"m\",\"b\":2}", false);
    filter_must_be(pattern, "{\"s\":\"n\",\"a\":1}", false);
    const char *nested =
        "{\"d\":{\"$or\":[{\"a\":[1]},{\"$or\":[{\"b\":[2]},{\"e\":{\"f\":[3]}}],\"c\":[4]}]}}";
    filter_must_be(nested, "{\"d\":{\"a\":1}}", true);
    filter_must_be(nested, "{\"d\":{\"e\":{\"f\":3},\"c\":4}}", true);
    filter_must_be(nested, "{\"d\":{\"e\":{\"f\":3}}}", false);
    filter_must_be(nested, "{\"d\":{\"c\":4}}", false);
}

static void fields_of_one_array_need_one_element(void **state)
{
    (void)state;
    const char *pattern = "{\"i\":{\"sku\":[\"A\"],\"n\":[2]}}";
    filter_must_be(pattern, "{\"i\":[{\"sku\":\"B\",\"n\":1},{\"sku\":\"A\",\"n\":2}]}", true);
    filter_must_be(pattern, "{\"i\":[{\"sku\":\"A\",\"n\":1},{\"sku\":\"B\",\"n\":2}]}", false);
    filter_must_be(pattern, "{\"i\":[{\"sku\":[\"B\",\"A\"],\"n\":[1,2]}]}", true);
    filter_must_be(pattern, "{\"i\":[[{\"sku\":\"A\"}],[{\"n\":2}]]}", false);
    filter_must_be(pattern, "{\"i\":[[{\"sku\":\"B\"},{\"sku\":\"A\",\"n\":2}],[]]}", true);
    const char *either = "{\"i\":{\"$or\":[{\"sku\":[\"A\"]},{\"sku\":[\"B\"]}],\"n\":[2]}}";
    filter_must_be(either, "{\"i\":[{\"sku\":\"A\",\"n\":1},{\"sku\":\"B\",\"n\":2}]}", true);
    filter_must_be(either, "{\"i\":[{\"sku\":\"A\",\"n\":1},{\"sku\":\"B\",\"n\":1},{\"n\":2}]}", false);
    filter_must_be("{\"a\":{\"x\":[1]},\"b\":{\"x\":[1]}}", "{\"a\":[{\"x\":1}],\"b\":[{},{\"x\":1}]}", true);
    // A value directly in the array is free of the element that other fields have chosen; one in an inner
    // array is not.
    filter_must_be("{\"a\":[\"x\"],\"a.b\":[1]}", "{\"a\":[\"x\",{\"b\":1}]}", true);
    filter_must_be("{\"a\":[\"x\"],\"a.b\":[1]}", "{\"a\":[[\"x\"],{\"b\":1}]}", false);
    filter_must_be("{\"a\":[\"x\"],\"a.b\":[1]}", "{\"a\":[[\"x\",{\"b\":1}]]}", true);
}

/** As event-ruler, which takes the paths in alphabetical order: what is absent sees only elements chosen
 * before it. */
static void absence_in_an_array_follows_the_order_of_paths(void **state)
{
    (void)state;
    const char *event = "{\"i\":[{\"sku\":\"A\"},{\"sku\":\"B\",\"gift\":1,\"tax\":2}]}";
    filter_must_be("{\"i\":{\"sku\":[\"A\"],\"tax\":[{\"exists\":false}]}}", event, true);
    filter_must_be("{\"i\":{\"sku\":[\"B\"],\"tax\":[{\"exists\":false}]}}", event, false);
    filter_must_be("{\"i\":{\"sku\":[\"A\"],\"gift\":[{\"exists\":false}]}}", event, false);
    filter_must_be("{\"i\":{\"gift\":[{\"exists\":false}]}}", event, false);
    filter_must_be("{\"i\":{\"sku\":[\"A\"],\"z\":{\"z\":[{\"exists\":false}]}}}", event, true);
    filter_must_be("{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":[]}", true);
    filter_must_be("{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":5}", true);
    const char *inner = "{\"a\":[[\"x\"],[{\"b\":1}],\"y\"]}";
    filter_must_be("{\"a\":[\"x\"],\"a.b\":[{\"exists\":false}]}", inner, true);
    filter_must_be("{\"a\":[\"y\"],\"a.b\":[{\"exists\":false}]}", inner, false);
}

static void patterns_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const WRONG[][2] = {
        {"[]", "1:1: a pattern is an object"},
        {"{}", "1:1: an empty object asks for nothing"},
        {"{\"a\":{}}", "1:6: an empty object asks for nothing"},
        {"{\"a\":[1],\"a\":[2]}", "1:10: the path \"a\" is there twice"},
        {"{\"a\":{\"b\":[1]},\"a.b\":[2]}", "1:16: the path \"a.b\" is there twice"},
        {"{\"a\":[1],\"$or\":[{\"a\":[1]},{\"b\":[1]}]}", "1:18: the path \"a\" is there twice"},
        {"{\"$or\":[{\"a\":[1]}]}", "1:8: \"$or\" takes an array of at least two objects"},
        {"{\"$or\":[\"a\"]}", "1:8: \"$or\" takes an array of at least two objects"},
        {"{\"$or\":{\"a\":[1]}}", "1:8: \"$or\" takes an array of at least two objects"},
        {"{\"$or\":[{\"a\":[1]},\"b\"]}", "1:19: \"$or\" takes objects only"},
        {"{\"$or\":[{\"a\":[1]},{}]}", "1:19: an empty object asks for nothing"},
        {"{\"$or\":[{\"a\":[1]},{\"cidr\":[1]}]}",
         "1:20: the name of an operator cannot be that of a field within \"$or\""},
        {"{\"$or\":[{\"a\":[1]},{\"regex\":[1]}]}",
         "1:20: the name of an operator cannot be that of a field within \"$or\""},
        {"{\n\"a\":[1]\n,\"b\":\n  [true, {\"sufix\": \"x\"}]}",
         "4:11: unknown operator \"sufix\"; did you mean \"suffix\"?"},
        {"{\"a\":[1]", "1:9: a \",\" or \"}\" is missing"},
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        filter_must_refuse(WRONG[i][0], WRONG[i][1]);
    }
    filter_must_be("{\"cidr\":[1]}", "{\"cidr\":1}", true);  // a field like others outside of $or
}

static void append_times(struct bytes *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes_append_string(out, text);
    }
}

static void size_depth_and_cost_are_bounded(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes deep = {0};
    append_times(&deep, "{\"a\":", 65);
    append_times(&deep, "[1]", 1);
    append_times(&deep, "}", 65);
    filter_must_refuse(bytes_text(&deep), "1:322: the path has more than 64 names");
    CLEANUP(bytes_clear) struct bytes large = {0};
    append_times(&large, " ", PATTERN_SIZE_MAX + 1);
    filter_must_refuse(bytes_text(&large), "1:1: larger than 65536 bytes");
    CLEANUP(bytes_clear) struct bytes many = {0};
    bytes_append_string(&many, "{");
    for (int i = 0; i < 10; i++) {
        bytes_format(&many, "%s\"$or\":[{\"a%d\":[1]},{\"b%d\":[1]}]", i == 0 ? "" : ",", i, i);
    }
    bytes_append_string(&many, "}");
    filter_must_refuse(bytes_text(&many),
                       "1:272: more than 1000 alternatives: each \"$or\" multiplies those before it");
    CLEANUP(bytes_clear) struct bytes costly = {0};
    bytes_append_string(&costly, "{\"a\":[{\"anything-but\":[1");
    append_times(&costly, ",1", 20000);
    bytes_append_string(&costly, "]}]}");
    filter_must_refuse(bytes_text(&costly),
                       "1:2: more than 20000 comparisons over all alternatives of \"$or\"");
}

static size_t members_asked;

static bool count_member(struct filter_value object, const struct filter_step *step, struct filter_value *ret)
{
    members_asked++;
    return JSON_TREE_OPS.member(object, step, ret);
}

/** {"a":[0],"a.a":[0],…} on {"a":[0,[0,{"a":[0,[0,…]]}]]}, where only the innermost value is wrong. */
static size_t cost_of_nested_arrays(size_t levels)
{
    struct fault f;
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    CLEANUP(bytes_clear) struct bytes path = {0};
    CLEANUP(bytes_clear) struct bytes text = {0};
    CLEANUP(bytes_clear) struct bytes event = {0};
    bytes_append_string(&text, "{");
    for (size_t i = 0; i < levels; i++) {
        bytes_append_string(&path, i == 0 ? "a" : ".a");
        bytes_format(&text, "\"%s\":[0],", bytes_text(&path));
    }
    bytes_format(&text, "\"%s.b\":[1]}", bytes_text(&path));
    append_times(&event, "{\"a\":[0,[0,", levels);
    bytes_append_string(&event, "{\"b\":2}");
    append_times(&event, "]]}", levels);
    assert_true(pattern_compile(bytes_slice(&text), FILTER_START, &pattern, &f));
    assert_true(json_tree_parse(bytes_slice(&event), FILTER_START, &tree, &f));
    struct filter_value_ops counting = JSON_TREE_OPS;
    counting.member = count_member;
    members_asked = 0;
    assert_false(match_event(pattern, &counting, json_tree_value(&tree, &tree.nodes[0]), &scratch));
    return members_asked;
}

static void nested_arrays_cost_no_more_than_their_size(void **state)
{
    (void)state;
    size_t cost = cost_of_nested_arrays(8);
    assert_in_range(cost, 9, 27);
    assert_in_range(cost_of_nested_arrays(16), cost, 2 * cost);
}

static void must_name(const char *pattern_text, const char *event_text, const char *expected)
{
    struct fault f = {0};
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    CLEANUP(json_tree_clear) struct json_tree event = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    CLEANUP(bytes_clear) struct bytes text = {0};
    assert_true(pattern_compile(slice_of(pattern_text), FILTER_START, &pattern, &f));
    assert_true(json_tree_parse(slice_of(event_text), FILTER_START, &event, &f));
    const struct pattern_term *term =
        match_explain(pattern, &JSON_TREE_OPS, json_tree_value(&event, &event.nodes[0]), &scratch);
    assert_non_null(term);
    bytes_append_slice(&text, term->path);
    bytes_format(&text, "%s at %u:%u", term->is_or ? " $or" : "", term->place.line, term->place.column);
    assert_string_equal(bytes_text(&text), expected);
}

static void an_explanation_names_the_first_term_that_refused(void **state)
{
    (void)state;
    const char *pattern =
        "{\"a\":[1],\n \"b\":{\"c\":[2],\n  \"$or\":[{\"x\":[1]},{\"y\":[1]}]},\n \"d\":[4]}";
    must_name(pattern, "{\"a\":2}", "a at 1:2");
    must_name(pattern, "{\"a\":1,\"b\":{\"c\":3,\"x\":1},\"d\":5}", "b.c at 2:7");
    must_name(pattern, "{\"a\":1,\"b\":{\"c\":2,\"x\":2,\"y\":2},\"d\":4}", "b $or at 3:3");
    must_name(pattern, "{\"a\":1,\"b\":{\"c\":2,\"y\":1}}", "d at 4:2");
    must_name("{\"i\":{\"sku\":[\"A\"],\"n\":[2]}}",
              "{\"i\":[{\"sku\":\"A\",\"n\":1},{\"sku\":\"B\",\"n\":2}]}", "i.n at 1:19");
    must_name("{\"a\":[{\"exists\":false}]}", "{\"a\":1}", "a at 1:2");
}

/** Steps of equal paths have equal ids, also over the alternatives, so that a reader may remember by them. */
static void equal_paths_have_equal_ids(void **state)
{
    (void)state;
    struct fault f = {0};
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    const char *text = "{\"a\":{\"b\":[1],\"ab\":[1]},\"$or\":[{\"a.c\":[1]},{\"b\":[1],\"a.c\":[2]}]}";
    assert_true(pattern_compile(slice_of(text), FILTER_START, &pattern, &f));
    assert_int_equal(pattern_branch_count(pattern), 2);
    static const char *const NAMES[] = {"a", "b", "ab", "c", "b"};
    uint32_t seen = 0;
    for (size_t i = 0; i < 2; i++) {
        const struct branch *branch = pattern_branch(pattern, i);
        for (uint32_t k = 1; k < branch->count; k++) {
            const struct filter_step *step = branch->nodes[k].step;
            assert_in_range(step->id, 0, COUNT_OF(NAMES) - 1);
            assert_true(slice_equal(step->name, slice_of(NAMES[step->id])));
            seen |= 1U << step->id;
        }
    }
    assert_int_equal(seen, 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_anded_and_members_ored),
        cmocka_unit_test(or_takes_any_of_its_objects),
        cmocka_unit_test(fields_of_one_array_need_one_element),
        cmocka_unit_test(absence_in_an_array_follows_the_order_of_paths),
        cmocka_unit_test(patterns_that_cannot_be_are_refused),
        cmocka_unit_test(size_depth_and_cost_are_bounded),
        cmocka_unit_test(nested_arrays_cost_no_more_than_their_size),
        cmocka_unit_test(an_explanation_names_the_first_term_that_refused),
        cmocka_unit_test(equal_paths_have_equal_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
