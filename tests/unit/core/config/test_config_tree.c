// core/config/config_tree: any YAML as JSON text, with the places of the file.
#include "tests/unit/config_case.h"

struct tree_config {
    struct config_tree any;
};

static const struct config_option options[] = {
    {.key = "any", .type = CONFIG_TREE, .offset = offsetof(struct tree_config, any), .doc = "Anything."},
    {.key = NULL},
};

static const struct config_kind kind = {
    .name = "tree",
    .place = "tree.yaml",
    .doc = "A file for this test.",
    .example = "any: 1\n",
    .options = options,
    .size = sizeof(struct tree_config),
};

static void read_tree(const char *text, struct tree_config *config)
{
    struct config_case c = {0};
    config_case_read(&c, &kind, slice_of(text), config);
    assert_string_equal(bytes_text(&c.text), "");
    config_case_clear(&c);
}

static void must_be(const char *text, const char *json)
{
    struct tree_config config;
    read_tree(text, &config);
    assert_string_equal(config.any.json, json);
    config_tree_clear(&config.any);
}

static void plain_words_are_what_json_has_and_all_others_are_strings(void **state)
{
    (void)state;
    must_be("any: [true, True, FALSE, null, ~, yes, no, on, y]",
            "[true,true,false,null,null,\"yes\",\"no\",\"on\",\"y\"]");
    must_be("any: [7, -0, 1.50, 12345678901234567890.123, 1e3, -2.5E-10]",
            "[7,-0,1.50,12345678901234567890.123,1e3,-2.5E-10]");
    must_be(
        "any: [007, +5, .5, 5., 0x10, 1_000, 1e, -, .inf, 2026-01-02, 1:30]",
        "[\"007\",\"+5\",\".5\",\"5.\",\"0x10\",\"1_000\",\"1e\",\"-\",\".inf\",\"2026-01-02\",\"1:30\"]");
}

static void what_is_quoted_is_a_string(void **state)
{
    (void)state;
    must_be("any: ['7', \"true\", 'null', '', \"a\\nb\"]", "[\"7\",\"true\",\"null\",\"\",\"a\\nb\"]");
    must_be("any: |\n  7\n", "\"7\\n\"");
}

static void maps_and_lists_keep_their_order(void **state)
{
    (void)state;
    must_be("any:\n  b: {}\n  a:\n    - [x]\n    - 1: {$or: []}\n",
            "{\"b\":{},\"a\":[[\"x\"],{\"1\":{\"$or\":[]}}]}");
}

static void every_part_has_its_place_in_the_file(void **state)
{
    (void)state;
    struct tree_config config;
    read_tree("# first\nany:\n  après: [x,\n   true]\n  b:\n  - {c: 1}\n", &config);
    const char *json = config.any.json;
    assert_string_equal(json, "{\"après\":[\"x\",true],\"b\":[{\"c\":1}]}");
    const struct {
        const char *part;
        uint32_t line;
        uint32_t column;
    } parts[] = {{"{\"apr", 3, 3}, {"\"apr", 3, 3}, {"[\"x", 3, 10}, {"\"x", 3, 11}, {"true", 4, 4},
                 {"\"b", 5, 3},    {"[{", 6, 3},    {"\"c", 6, 6},   {"1}]", 6, 9},  {"}]}", 6, 9}};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const struct text_place *place =
            text_places_find(&config.any.places, (size_t)(strstr(json, parts[i].part) - json));
        assert_non_null(place);
        assert_int_equal(place->line, parts[i].line);
        assert_int_equal(place->column, parts[i].column);
    }
    config_tree_clear(&config.any);
}

static void a_missing_or_empty_value_is_not_set(void **state)
{
    (void)state;
    struct tree_config config;
    read_tree("", &config);
    assert_null(config.any.json);
    read_tree("any:\n", &config);
    assert_null(config.any.json);
    assert_null(text_places_find(&config.any.places, 0));
}

static void what_is_shown_reads_the_same(void **state)
{
    (void)state;
    struct tree_config config;
    struct tree_config again;
    CLEANUP(bytes_clear) struct bytes shown = {0};
    read_tree("any: {a: ['7', 7, 1.50, \"x: y\"]}", &config);
    config_show(&kind, &config, &shown);
    assert_string_equal(bytes_text(&shown), "any: {\"a\":[\"7\",7,1.50,\"x: y\"]}\n");
    read_tree(bytes_text(&shown), &again);
    assert_string_equal(again.any.json, config.any.json);
    config_tree_clear(&config.any);
    config_tree_clear(&again.any);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words_are_what_json_has_and_all_others_are_strings),
        cmocka_unit_test(what_is_quoted_is_a_string),
        cmocka_unit_test(maps_and_lists_keep_their_order),
        cmocka_unit_test(every_part_has_its_place_in_the_file),
        cmocka_unit_test(a_missing_or_empty_value_is_not_set),
        cmocka_unit_test(what_is_shown_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
