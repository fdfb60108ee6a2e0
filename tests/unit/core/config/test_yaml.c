// core/config/yaml: places, limits, and refused documents.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/yaml.h"

struct parsed {
    struct yaml_node *root;
    struct complaints complaints;
    struct bytes text;
    bool is_good;
};

static void parse(struct parsed *p, struct slice text)
{
    uint8_t *exact = memory_new(text.size);
    memcpy(exact, text.data, text.size);
    *p = (struct parsed){0};
    p->is_good = yaml_parse("f.yaml", slice_make(exact, text.size), &p->root, &p->complaints);
    complaints_write(&p->complaints, "error", &p->text);
    free(exact);
}

static void parsed_clear(struct parsed *p)
{
    yaml_node_free(p->root);
    complaints_clear(&p->complaints);
    bytes_clear(&p->text);
}

static void check_refused(const char *text, size_t size, const char *expected)
{
    struct parsed p;
    parse(&p, slice_make(text, size));
    assert_false(p.is_good);
    assert_string_equal(bytes_text(&p.text), expected);
    parsed_clear(&p);
}

static void nodes_know_their_line_and_column(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, slice_of("a: 1\nb:\n  \xc3\xa4: [x, 'null', ~]\n"));
    assert_true(p.is_good);
    const struct yaml_node *list = yaml_get(yaml_get(p.root, "b"), "\xc3\xa4");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->line, 3);
    assert_int_equal(list->column, 6);
    assert_int_equal(list->count, 3);
    assert_int_equal(list->items[1]->kind, YAML_TEXT);
    assert_int_equal(list->items[2]->kind, YAML_NULL);
    assert_null(yaml_get(p.root, "c"));
    parsed_clear(&p);
}

static void an_empty_document_has_no_tree(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, slice_of("# nothing\n"));
    assert_true(p.is_good);
    assert_null(p.root);
    parsed_clear(&p);
}

static void a_key_that_is_there_twice_is_refused_and_the_rest_is_kept(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, slice_of("a: 1\nb: {c: 1, c: 2}\na: 3\n"));
    assert_false(p.is_good);
    assert_string_equal(bytes_text(&p.text),
                        "f.yaml:2:11: error: the key \"c\" is repeated; the first is in line 2\n"
                        "f.yaml:3:1: error: the key \"a\" is repeated; the first is in line 1\n");
    assert_string_equal(yaml_get(p.root, "a")->text, "1");
    parsed_clear(&p);
}

static void faults_of_syntax_have_their_place(void **state)
{
    (void)state;
    static const char tab[] = "a:\n\tb: 1\n";
    static const char two[] = "a: 1\n---\nb: 1\n";
    static const char utf8[] = "a: 1\nb: \xff\n";
    static const char list_key[] = "[a]: 1\n";
    static const char nul[] = "a: \"x\\0y\"\n";
    static const char tag[] = "a: !secret x\n";
    static const char open[] = "a: [1, 2\nb: 3\n";
    check_refused(tab, sizeof(tab) - 1, "f.yaml:2:1: error: tabs can't be used to indent; use blanks\n");
    check_refused(two, sizeof(two) - 1,
                  "f.yaml:3:1: error: a second document begins here; only one is allowed\n");
    check_refused(utf8, sizeof(utf8) - 1,
                  "f.yaml:2:4: error: invalid leading UTF-8 octet (the file must be UTF-8 text)\n");
    check_refused(list_key, sizeof(list_key) - 1,
                  "f.yaml:1:1: error: a key must be a single word, not a list or a map\n");
    check_refused(nul, sizeof(nul) - 1, "f.yaml:1:4: error: a value can't contain a NUL character\n");
    check_refused(tag, sizeof(tag) - 1,
                  "f.yaml:1:4: error: tags are not supported: remove the word that begins with !\n");
    static const char merge[] = "a: &a {b: 1}\nc: {<<: *a}\n";
    check_refused(merge, sizeof(merge) - 1,
                  "f.yaml:2:5: error: merge keys are not supported: write out what << stands for\n");
    check_refused(
        open, sizeof(open) - 1,
        "f.yaml:2:2: error: did not find expected ',' or ']' (while parsing a flow sequence that begins "
        "in line 1)\n");
}

static void a_text_that_needs_quotes_is_told_so(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problem;
    } CASES[] = {
        {"a: [>=, 1]\n", "1:5: error: found character that cannot start any token"},
        {"a: @b\n", "1:4: error: found character that cannot start any token"},
        {"a: *b\n", "1:4: error: found undefined alias"},
        {"a: [*]\n", "1:6: error: did not find expected alphabetic or numeric character"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        CLEANUP(memory_free_pointer)
        char *expected = memory_format(
            "f.yaml:%s; put a text that begins with one of > | * & ! %% @ ` in quotes\n", CASES[i].problem);
        check_refused(CASES[i].text, strlen(CASES[i].text), expected);
    }
}

static void depth_aliases_nodes_and_size_are_bounded(void **state)
{
    (void)state;
    char deep[101];
    memset(deep, '[', 50);
    memset(deep + 50, ']', 50);
    check_refused(deep, 100, "f.yaml:1:33: error: nested too deeply (32 levels are allowed)\n");
    static const char loop[] = "a: &x [*x]\n";
    check_refused(loop, sizeof(loop) - 1, "f.yaml:1:4: error: nested too deeply (32 levels are allowed)\n");
    struct bytes laughs = {0};
    bytes_append_string(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 20; i++) {
        bytes_format(&laughs, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1);
    }
    struct parsed p;
    parse(&p, bytes_slice(&laughs));
    assert_false(p.is_good);
    assert_non_null(strstr(bytes_text(&p.text), "too many aliases"));
    parsed_clear(&p);
    bytes_reset(&laughs);
    bytes_append_byte(&laughs, '[');
    for (int i = 0; i < 30000; i++) {
        bytes_append_string(&laughs, "x,");
    }
    bytes_append_byte(&laughs, ']');
    parse(&p, bytes_slice(&laughs));
    assert_non_null(strstr(bytes_text(&p.text), "too many values"));
    parsed_clear(&p);
    bytes_reset(&laughs);
    memset(bytes_reserve(&laughs, YAML_SIZE_MAX + 1), '#', YAML_SIZE_MAX + 1);
    laughs.size = YAML_SIZE_MAX + 1;
    parse(&p, bytes_slice(&laughs));
    assert_string_equal(bytes_text(&p.text), "f.yaml:1:1: error: the file is larger than 256 KiB\n");
    parsed_clear(&p);
    bytes_clear(&laughs);
}

static void an_alias_gives_its_anchors_value(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, slice_of("a: &x {b: 1}\nc: *x\n"));
    assert_true(p.is_good);
    assert_string_equal(yaml_get(yaml_get(p.root, "c"), "b")->text, "1");
    parsed_clear(&p);
}

static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    static const char golden[] =
        "\xef\xbb\xbf# x\na: &x [1, 'two', \"thr\\u00e9e\"]\nb: {c: *x, d: |\n  block\n  text\n}\n"
        "e: >-\n  folded\nf: \xe2\x82\xac\n";
    for (size_t size = 0; size < sizeof(golden); size++) {
        struct parsed p;
        parse(&p, slice_make(golden, size));
        assert_int_equal(p.is_good, p.text.size == 0);
        parsed_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_line_and_column),
        cmocka_unit_test(an_empty_document_has_no_tree),
        cmocka_unit_test(a_key_that_is_there_twice_is_refused_and_the_rest_is_kept),
        cmocka_unit_test(faults_of_syntax_have_their_place),
        cmocka_unit_test(a_text_that_needs_quotes_is_told_so),
        cmocka_unit_test(depth_aliases_nodes_and_size_are_bounded),
        cmocka_unit_test(an_alias_gives_its_anchors_value),
        cmocka_unit_test(every_truncation_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
