// bridge/testing/json_pointer: RFC 6901's examples, and equality of values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/testing/json_pointer.h"
#include "core/base/memory.h"

static const char EXAMPLE[] =
    "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"m~n\":8,\"~1\":9,\"x\":null}";

static void must_parse(const char *text, struct json_tree *ret)
{
    struct fault f;
    *ret = (struct json_tree){0};
    assert_true(json_tree_parse(slice_of(text), (struct json_place){1, 1}, ret, &f));
}

/** What the pointer finds in the example, as it is written; "": nothing. */
static void must_find(const char *pointer, const char *expected)
{
    struct json_tree t;
    must_parse(EXAMPLE, &t);
    const struct json_node *node = json_pointer_find(&t, slice_of(pointer));
    CLEANUP(memory_free_pointer)
    char *found = node == NULL ? memory_string("")
                               : memory_format("%.*s", (int)(node->end - node->at), EXAMPLE + node->at);
    assert_string_equal(found, expected);
    json_tree_clear(&t);
}

static void pointers_find_what_the_rfc_says(void **state)
{
    (void)state;
    must_find("", EXAMPLE);
    must_find("/foo", "[\"bar\",\"baz\"]");
    must_find("/foo/0", "\"bar\"");
    must_find("/foo/1", "\"baz\"");
    must_find("/", "0");
    must_find("/a~1b", "1");
    must_find("/c%d", "2");
    must_find("/m~0n", "8");
    must_find("/~01", "9");
    must_find("/x", "null");
}

static void pointers_to_nothing_find_nothing(void **state)
{
    (void)state;
    static const char *const NOTHING[] = {"foo", "/foo/2", "/foo/00", "/foo/-", "/foo/1x", "/foo/99999999999",
                                          "/y",  "/x/0",   "/foo/0/0"};
    for (size_t i = 0; i < COUNT_OF(NOTHING); i++) {
        must_find(NOTHING[i], "");
    }
}

static void must_compare(const char *a, const char *b, bool are_equal)
{
    struct json_tree t;
    struct json_tree u;
    must_parse(a, &t);
    must_parse(b, &u);
    assert_int_equal(json_pointer_equal(&t, &t.nodes[0], &u, &u.nodes[0]), are_equal);
    assert_int_equal(json_pointer_equal(&u, &u.nodes[0], &t, &t.nodes[0]), are_equal);
    json_tree_clear(&t);
    json_tree_clear(&u);
}

static void values_are_equal_as_json(void **state)
{
    (void)state;
    must_compare("{\"a\":1,\"b\":[true,null]}", "{\"b\":[true,null],\"a\":1.0}", true);
    must_compare("\"a\\u0062\"", "\"ab\"", true);
    must_compare("9007199254740993", "9007199254740992", false);
    must_compare("1", "\"1\"", false);
    must_compare("[1,2]", "[2,1]", false);
    must_compare("[1]", "[1,2]", false);
    must_compare("{\"a\":1}", "{\"a\":1,\"b\":2}", false);
    must_compare("{\"a\":null}", "{\"b\":null}", false);
    must_compare("null", "false", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_find_what_the_rfc_says),
        cmocka_unit_test(pointers_to_nothing_find_nothing),
        cmocka_unit_test(values_are_equal_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
