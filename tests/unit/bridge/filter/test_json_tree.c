// bridge/filter/json_tree: what is JSON, and where what is not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/filter/json_tree.h"
#include "schemas/json/json_check.h"

static const struct json_place START = {1, 1};

static void must_refuse(const char *text, const char *message)
{
    struct fault f = {0};
    struct json_tree tree = {0};
    if (json_tree_parse(slice_of(text), START, &tree, &f)) {
        fail_msg("%s is not refused", text);
    }
    assert_int_equal(f.kind, FAULT_REJECT);
    assert_string_equal(f.text, message);
}

static void complaints_say_the_place(void **state)
{
    (void)state;
    static const char *const WRONG[][2] = {
        {"", "1:1: a value is missing"},
        {"nul", "1:1: no JSON value"},
        {"{\"a\":1}x", "1:8: more text behind the JSON value"},
        {"{\n \"é\": [1,\n 2,}\n", "3:4: no JSON value"},
        {"{\"é\":tru}", "1:6: no JSON value"},
        {"{\"a\" 1}", "1:6: a \":\" is missing"},
        {"{a:1}", "1:2: a member's name in quotes is missing"},
        {"{\"a\":1,}", "1:8: a member's name in quotes is missing"},
        {"{\"a\":1 \"b\":2}", "1:8: a \",\" or \"}\" is missing"},
        {"[1 2]", "1:4: a \",\" or \"]\" is missing"},
        {"[1,]", "1:4: no JSON value"},
        {"[", "1:2: a value is missing"},
        {"01", "1:3: a number does not begin with 0"},
        {"-", "1:2: no JSON value"},
        {"+1", "1:1: no JSON value"},
        {"1.", "1:3: a digit is missing"},
        {"1e", "1:3: a digit is missing"},
        {"1e1234567890", "1:13: the exponent has more than nine digits"},
        {"\"a", "1:3: the string does not end"},
        {"\"a\nb\"", "1:3: a control character in a string must be escaped"},
        {"\"\\x\"", "1:3: no such escape in JSON"},
        {"\"\\u12g4\"", "1:6: a \\u escape needs four hexadecimal digits"},
        {"\"\xff\"", "1:2: no valid UTF-8"},
        {"\"\xc3\"", "1:2: no valid UTF-8"},
        {"NaN", "1:1: no JSON value"},
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        must_refuse(WRONG[i][0], WRONG[i][1]);
    }
}

static void strings_are_without_escapes_and_numbers_as_written(void **state)
{
    (void)state;
    struct fault f;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    const char *text =
        "{\"a\\u0062\":\"\\\"\\\\\\/\\n\\u00e9\\ud83d\\ude00\",\"n\":-0.50E+07,\"ab\":\"\\u0000x\"}";
    assert_true(json_tree_parse(slice_of(text), START, &tree, &f));
    const struct json_node *first = json_tree_child(&tree, &tree.nodes[0]);
    assert_true(slice_equal(first->name, slice_of("ab")));
    assert_true(slice_equal(first->text, slice_of("\"\\/\né😀")));
    const struct json_node *number = json_tree_member(&tree, &tree.nodes[0], slice_of("n"));
    assert_true(slice_equal(number->text, slice_of("-0.50E+07")));
    const struct json_node *last =
        json_tree_member(&tree, &tree.nodes[0], slice_of("ab"));  // the last one wins
    assert_true(slice_equal(last->text, slice_make("\0x", 2)));
    assert_null(json_tree_member(&tree, &tree.nodes[0], slice_of("b")));
}

static void every_beginning_of_a_text_is_refused(void **state)
{
    (void)state;
    const char *text = "{\"a\":[1.5e3,null,{\"b\":\"\\u00e9é\"}],\"c\":true}";
    for (size_t size = 0; size < strlen(text); size++) {
        struct fault f = {0};
        struct json_tree tree = {0};
        CLEANUP(memory_free_pointer) char *part = memory_new(size + 1);
        memcpy(part, text, size);
        char *exact = memory_resize(TAKE(part), size > 0 ? size : 1);
        assert_false(json_tree_parse(slice_make(exact, size), START, &tree, &f));
        free(exact);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct fault f = {0};
    for (size_t depth = JSON_TREE_DEPTH_MAX; depth < JSON_TREE_DEPTH_MAX + 3; depth++) {
        CLEANUP(bytes_clear) struct bytes text = {0};
        CLEANUP(json_tree_clear) struct json_tree tree = {0};
        for (size_t i = 0; i < depth; i++) {
            bytes_append_byte(&text, '[');
        }
        for (size_t i = 0; i < depth; i++) {
            bytes_append_byte(&text, ']');
        }
        assert_int_equal(json_tree_parse(bytes_slice(&text), START, &tree, &f), depth <= JSON_TREE_DEPTH_MAX);
        assert_int_equal(json_check_value(bytes_slice(&text)), depth <= JSON_TREE_DEPTH_MAX);
    }
    assert_string_equal(f.text, "1:513: nested too deeply");
}

static void must_be_same(const char *text, const char *other_text, bool expected)
{
    struct fault f;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    CLEANUP(json_tree_clear) struct json_tree other = {0};
    assert_true(json_tree_parse(slice_of(text), START, &tree, &f));
    assert_true(json_tree_parse(slice_of(other_text), START, &other, &f));
    struct filter_value a = json_tree_value(&tree, &tree.nodes[0]);
    struct filter_value b = json_tree_value(&other, &other.nodes[0]);
    if (JSON_TREE_OPS.same(a, b) != expected || JSON_TREE_OPS.same(b, a) != expected) {
        fail_msg("%s and %s are not %s", text, other_text, expected ? "the same" : "different");
    }
}

static void equal_values_are_the_same_whatever_the_order_of_members(void **state)
{
    (void)state;
    must_be_same("{\"a\":1,\"b\":[1,{\"c\":null}]}", "{\"b\":[1.0,{\"c\":null}],\"a\":1e0}", true);
    must_be_same("{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":2}", true);
    must_be_same("{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false);
    must_be_same("{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false);
    must_be_same("{\"a\":1}", "{\"a\":1,\"b\":2}", false);
    must_be_same("[1,2]", "[2,1]", false);
    must_be_same("[1]", "[1,2]", false);
    must_be_same("{}", "[]", false);
    must_be_same("\"1\"", "1", false);
    must_be_same("true", "false", false);
    // Of equal names the last one counts.
    must_be_same("{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":2}", false);
    must_be_same("{\"a\":1,\"a\":2}", "{\"a\":2}", true);
    must_be_same("{\"a\":1,\"b\":0,\"a\":2}", "{\"b\":0,\"a\":2,\"a\":1}", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complaints_say_the_place),
        cmocka_unit_test(strings_are_without_escapes_and_numbers_as_written),
        cmocka_unit_test(every_beginning_of_a_text_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(equal_values_are_the_same_whatever_the_order_of_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
