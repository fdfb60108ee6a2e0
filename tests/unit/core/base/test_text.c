// core/base/text: lists, pairs, globs, the nearest word, JSON strings.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/text.h"

static void a_pair_that_is_set_again_keeps_its_place(void **state)
{
    (void)state;
    struct text_pairs pairs = {0};
    text_pairs_set(&pairs, "a", "1");
    text_pairs_set_secret(&pairs, "b", "2");
    text_pairs_set(&pairs, "a", "3");
    assert_int_equal(pairs.count, 2);
    assert_string_equal(pairs.items[0].value, "3");
    assert_false(pairs.items[0].is_secret);
    assert_true(pairs.items[1].is_secret);
    assert_string_equal(text_pairs_get(&pairs, "b"), "2");
    assert_null(text_pairs_get(&pairs, "c"));
    text_pairs_clear(&pairs);
    text_pairs_clear(NULL);
}

static void globs_cross_dots_and_slashes_make_a_regex(void **state)
{
    (void)state;
    assert_true(text_glob_match("public.*", "public.orders"));
    assert_true(text_glob_match("*", "public.orders"));
    assert_false(text_glob_match("public.audit_*", "public.orders"));
    assert_true(text_glob_match("/^public\\.(a|b)$/", "public.b"));
    assert_false(text_glob_match("/^public\\.(a|b)$/", "public.bc"));
    assert_false(text_glob_match("/(/", "("));
}

static void a_regular_expression_matches_whole_names(void **state)
{
    (void)state;
    static const struct {
        const char *regex;
        const char *match;
        const char *no_match;
    } CASES[] = {
        {"/public.orders/", "public.orders", "public.orders_audit"},
        {"/a|b/", "b", "ab"},
        {"/^a|b$/", "a", "ax"},
        {"/a_\\d+/", "a_10", "a_d"},
        {"/a_\\D/", "a_x", "a_1"},
        {"/(?:a|b)\\.c/", "b.c", "b?c"},
        {"/a.*?c/", "abbc", "abbcd"},
        {"/[\\w.]+/", "a_1.B", "a-b"},
        {"/[\\]a]x/", "]x", "\\x"},
        {"/[]a]x/", "]x", "x"},
        {"/[^\\]]x/", "ax", "]x"},
        {"/[\\^]x/", "^x", "x"},
        {"/[a\\^]x/", "^x", "bx"},
        {"/[a\\-z]x/", "-x", "bx"},
        {"/[a\\.]x/", ".x", "\\x"},
        {"/[[:alpha:]\\d]x/", "7x", ":x"},
        {"/a{1,2}/", "aa", "aaa"},
        {"/a\\,b/", "a,b", "a"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_true(text_glob_match(CASES[i].regex, CASES[i].match));
        assert_false(text_glob_match(CASES[i].regex, CASES[i].no_match));
    }
}

static void regular_expressions_over_names_ignore_case(void **state)
{
    (void)state;
    struct text_list list = {0};
    text_list_add(&list, "x.*");
    text_list_add(&list, "/public\\.orders/");
    assert_true(text_name_match("/public\\.orders/", "public.ORDERS"));
    assert_false(text_glob_match("/public\\.orders/", "public.ORDERS"));
    assert_false(text_name_match("public.orders", "public.ORDERS"));
    assert_true(text_list_name_match(&list, "Public.Orders"));
    assert_false(text_list_glob_match(&list, "Public.Orders"));
    text_list_clear(&list);
}

static void the_nearest_word_is_a_slip_of_the_fingers_away(void **state)
{
    (void)state;
    const char *const words[] = {"tables", "topics", "types", NULL};
    assert_string_equal(text_nearest("tabels", words), "tables");
    assert_string_equal(text_nearest("type", words), "types");
    assert_null(text_nearest("filter", words));
    const char *const short_words[] = {"PUT", "PATCH", "key", "op", NULL};
    assert_string_equal(text_nearest("kei", short_words), "key");
    assert_null(text_nearest("GET", short_words));
    assert_null(text_nearest("new", short_words));
    assert_null(text_nearest("x", words));
    assert_null(text_nearest("", words));
    char long_word[200];
    memset(long_word, 't', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    assert_null(text_nearest(long_word, words));
}

static void check_json(const char *text, size_t size, const char *expected)
{
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    memcpy(exact, text, size);
    struct bytes out = {0};
    text_append_json(&out, slice_make(exact, size));
    assert_string_equal(bytes_text(&out), expected);
    bytes_clear(&out);
    free(exact);
}

static void json_strings_escape_what_they_must(void **state)
{
    (void)state;
    check_json("", 0, "\"\"");
    check_json("a\"\\\n\r\t\b\f\v\x01\x7f z", 13, "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u000b\\u0001\\u007f z\"");
    check_json("\0", 1, "\"\\u0000\"");
    check_json("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15,
               "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

/** Any byte, anywhere among plain ones, is written as it is alone. */
static void a_byte_is_escaped_wherever_it_stands(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        struct bytes alone = {0};
        text_append_json(&alone, slice_make(&(char){(char)byte}, 1));
        for (size_t at = 0; at < 20; at++) {
            char text[21];
            memset(text, 'x', 20);
            text[at] = (char)byte;
            struct bytes expected = {0};
            bytes_format(&expected, "\"%.*s%.*s%s\"", (int)at, "xxxxxxxxxxxxxxxxxxxx", (int)alone.size - 2,
                         (const char *)alone.data + 1, &"xxxxxxxxxxxxxxxxxxx"[at]);
            check_json(text, 20, bytes_text(&expected));
            bytes_clear(&expected);
        }
        bytes_clear(&alone);
    }
}

static void bytes_that_are_not_utf8_become_the_replacement_character(void **state)
{
    (void)state;
    check_json("a\xff"
               "b",
               3,
               "\"a\xef\xbf\xbd"
               "b\"");
    check_json("\xc3", 1, "\"\xef\xbf\xbd\"");
    check_json("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");                  // overlong '/'
    check_json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
    check_json("\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void every_truncation_of_a_character_is_replaced(void **state)
{
    (void)state;
    const char golden[] = "\xf0\x9f\x98\x80";
    for (size_t size = 1; size < 4; size++) {
        struct bytes expected = {0};
        bytes_append_byte(&expected, '"');
        for (size_t i = 0; i < size; i++) {
            bytes_append_string(&expected, "\xef\xbf\xbd");
        }
        bytes_append_byte(&expected, '"');
        check_json(golden, size, bytes_text(&expected));
        bytes_clear(&expected);
    }
}

static void hashes_differ_by_content_and_length(void **state)
{
    (void)state;
    assert_true(text_hash(slice_of("order-1")) == text_hash(slice_of("order-1")));
    assert_true(text_hash(slice_of("order-1")) != text_hash(slice_of("order-2")));
    assert_true(text_hash(slice_make("\0", 1)) != text_hash(slice_make("\0\0", 2)));
    assert_true(text_hash(slice_of("12345678")) != text_hash(slice_of("123456789")));
}

static void a_text_is_cut_between_characters(void **state)
{
    (void)state;
    const struct slice euros = slice_of("a\xe2\x82\xac\xe2\x82\xac");
    const size_t sizes[] = {0, 1, 1, 1, 4, 4, 4, 7, 7};
    for (size_t max = 0; max < sizeof(sizes) / sizeof(sizes[0]); max++) {
        assert_int_equal(text_cut(euros, max).size, sizes[max]);
    }
    assert_int_equal(text_cut(slice_of("\x82\x82\x82"), 2).size, 0);
}

static void sameness_looks_at_both_sides(void **state)
{
    (void)state;
    assert_true(text_is_same(NULL, NULL));
    assert_false(text_is_same(NULL, ""));
    assert_false(text_is_same("", NULL));
    char a[] = "a";
    assert_true(text_is_same(a, "a"));
    assert_false(text_is_same(a, "b"));
    CLEANUP(text_list_clear) struct text_list one = {0};
    CLEANUP(text_list_clear) struct text_list two = {0};
    text_list_add(&one, "a");
    assert_false(text_list_is_same(&one, &two));
    assert_false(text_list_is_same(&two, &one));
    text_list_add(&two, "a");
    assert_true(text_list_is_same(&one, &two));
    CLEANUP(text_pairs_clear) struct text_pairs left = {0};
    CLEANUP(text_pairs_clear) struct text_pairs right = {0};
    text_pairs_set(&left, "k", "v");
    assert_false(text_pairs_is_same(&left, &right));
    assert_false(text_pairs_is_same(&right, &left));
    text_pairs_set(&right, "k", "w");
    assert_false(text_pairs_is_same(&left, &right));
    text_pairs_set_secret(&right, "k", "v");
    assert_true(text_pairs_is_same(&left, &right));
}

static void blanks_are_spaces_tabs_and_line_ends(void **state)
{
    (void)state;
    assert_true(text_is_blank((struct slice){NULL, 0}));
    assert_true(text_is_blank(slice_of(" \t\r\n")));
    assert_false(text_is_blank(slice_of(" x ")));
    assert_false(text_is_blank(slice_make("\0", 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_that_is_set_again_keeps_its_place),
        cmocka_unit_test(globs_cross_dots_and_slashes_make_a_regex),
        cmocka_unit_test(a_regular_expression_matches_whole_names),
        cmocka_unit_test(regular_expressions_over_names_ignore_case),
        cmocka_unit_test(the_nearest_word_is_a_slip_of_the_fingers_away),
        cmocka_unit_test(json_strings_escape_what_they_must),
        cmocka_unit_test(a_byte_is_escaped_wherever_it_stands),
        cmocka_unit_test(bytes_that_are_not_utf8_become_the_replacement_character),
        cmocka_unit_test(every_truncation_of_a_character_is_replaced),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(hashes_differ_by_content_and_length),
        cmocka_unit_test(sameness_looks_at_both_sides),
        cmocka_unit_test(blanks_are_spaces_tabs_and_line_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
