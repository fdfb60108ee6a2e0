// bridge/filter/json_event: events as JSON lines, as functions see them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/filter/json_event.h"
#include "bridge/filter/match.h"
#include "tests/unit/bridge/filter/filter_case.h"

static void event_must_be(const char *pattern_text, const char *event_text, bool expected)
{
    static const struct text_places nowhere = {0};
    struct fault f = {0};
    struct filter_value event = {0};
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    if (!pattern_compile_function(slice_of(pattern_text), &nowhere, &pattern, &f) ||
        !json_event_parse(slice_of(event_text), FILTER_START, &tree, &event, &f)) {
        fail_msg("%s on %s: %s", pattern_text, event_text, f.text);
    }
    if (match_event(pattern, &JSON_EVENT_OPS, event, &scratch) != expected) {
        fail_msg("%s on %s is not %s", pattern_text, event_text, expected ? "true" : "false");
    }
}

static void headers_with_dots_are_found(void **state)
{
    (void)state;
    static const char event[] = "{\"headers\":{\"a.b\":\"1\",\"a.c.d\":\"2\",\"e\":\"3\",\"a.b\":\"4\"}}";
    event_must_be("{\"headers\":{\"a.b\":[\"4\"],\"a.c.d\":[\"2\"],\"e\":[\"3\"]}}", event, true);
    event_must_be("{\"headers\":{\"a\":{\"c\":{\"d\":[\"2\"]}}}}", event, true);
    event_must_be("{\"headers.a.b\":[\"1\"]}", event, false);
    event_must_be("{\"headers\":{\"a.x\":[{\"exists\":false}]}}", event, true);
}

/** Whichever comes first. */
static void a_header_may_begin_the_name_of_another(void **state)
{
    (void)state;
    static const char *const events[] = {"{\"headers\":{\"a\":\"1\",\"a.b\":\"2\",\"a.b.c\":\"3\"}}",
                                         "{\"headers\":{\"a.b.c\":\"3\",\"a.b\":\"2\",\"a\":\"1\"}}"};
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        event_must_be("{\"headers\":{\"a\":[\"1\"]}}", events[i], true);
        event_must_be("{\"headers\":{\"a.b\":[\"2\"]}}", events[i], true);
        event_must_be("{\"headers\":{\"a.b.c\":[\"3\"]}}", events[i], true);
        event_must_be("{\"headers\":{\"a.b\":[\"2\"],\"a\":[\"1\"]}}", events[i], true);
        event_must_be("{\"headers\":{\"a\":[\"2\"]}}", events[i], false);
        event_must_be("{\"headers\":{\"a.c\":[{\"exists\":false}]}}", events[i], true);
    }
}

static void a_structured_cloud_event_is_its_data(void **state)
{
    (void)state;
    event_must_be("{\"after\":{\"n\":[1]}}",
                  "{\"specversion\":\"1.0\",\"data\":{\"op\":\"u\",\"after\":{\"n\":1}}}", true);
    event_must_be("{\"op\":[\"u\"]}", "{\"specversion\":\"1.0\",\"data\":{\"op\":\"u\"}}", true);
}

static void an_event_without_op_is_a_create(void **state)
{
    (void)state;
    event_must_be("{\"op\":[\"c\"],\"after\":{\"n\":[1]}}", "{\"after\":{\"n\":1}}", true);
    event_must_be("{\"op\":[\"c\"]}", "{\"op\":\"u\"}", false);
    event_must_be("{\"op\":[\"c\"]}", "{}", true);
}

/** Functions get decimals as strings. Other texts that look like numbers are none. */
static void decimals_are_numbers_too(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_number;
    } texts[] = {{"7", true},   {"-7.50", true},  {"0.5", true},  {"0", true},   {"007", false},
                 {"+7", false}, {"1e3", false},   {".5", false},  {"5.", false}, {"", false},
                 {"-", false},  {"1.2.3", false}, {"0x7", false}, {" 7", false}, {"NaN", false},
                 {"00", false}, {"-0.10", true}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(memory_free_pointer) char *event = memory_format("{\"after\":{\"n\":\"%s\"}}", texts[i].text);
        event_must_be("{\"after\":{\"n\":[{\"numeric\":[\">\",-1000]}]}}", event, texts[i].is_number);
    }
    event_must_be("{\"after\":{\"n\":[12.5]}}", "{\"after\":{\"n\":\"12.500\"}}", true);
    event_must_be("{\"after\":{\"n\":[{\"anything-but\":[12.5]}]}}", "{\"after\":{\"n\":\"12.500\"}}", false);
    event_must_be("{\"after\":{\"n\":[{\"numeric\":[\">\",12345678901234567890.01]}]}}",
                  "{\"after\":{\"n\":\"12345678901234567890.02\"}}", true);
}

static void what_changed_is_compared_by_value(void **state)
{
    (void)state;
    event_must_be("{\"changed\":[\"a\"]}",
                  "{\"before\":{\"a\":{\"x\":1,\"y\":[2]}},\"after\":{\"a\":{\"y\":[2],\"x\":1.0}}}", false);
    event_must_be("{\"changed\":[\"a\"]}",
                  "{\"before\":{\"a\":{\"x\":1}},\"after\":{\"a\":{\"x\":1,\"y\":2}}}", true);
    event_must_be("{\"changed\":[\"a\"]}", "{\"before\":{\"a\":[1,2]},\"after\":{\"a\":[2,1]}}", true);
    event_must_be("{\"changed\":[\"a\"]}", "{\"before\":{\"a\":null},\"after\":{\"a\":null}}", false);
    event_must_be("{\"changed\":[\"a\"]}", "{\"before\":{\"a\":\"1.0\"},\"after\":{\"a\":\"1.00\"}}", true);
    event_must_be("{\"changed\":[\"a\"]}", "{\"before\":null,\"after\":{\"a\":null}}", true);
    event_must_be("{\"changed\":[\"a\"]}", "{\"before\":{\"a\":1},\"after\":null}", true);
    event_must_be("{\"changed\":[\"a\"]}", "{\"before\":null,\"after\":{\"b\":1}}", false);
    event_must_be("{\"changed\":[\"a\"]}", "{\"op\":\"t\",\"before\":null,\"after\":null}", false);
    event_must_be("{\"changed\":[\"a\"]}",
                  "{\"before\":null,\"after\":{\"a\":\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"}}", false);
    static const char texts[] = "[\"__debezium_unavailable_value\"]";
    static const char more[] = "[\"__debezium_unavailable_value\",\"\"]";
    static const char numbers[] =
        "[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,"
        "95,118,97,108,117,101]";
    const struct {
        const char *array;
        bool is_changed;
    } arrays[] = {{texts, false}, {numbers, false}, {more, true},
                  {"[]", true},   {"[95]", true},   {"[null]", true}};
    for (size_t i = 0; i < COUNT_OF(arrays); i++) {
        CLEANUP(memory_free_pointer)
        char *event = memory_format("{\"before\":null,\"after\":{\"a\":%s}}", arrays[i].array);
        event_must_be("{\"changed\":[\"a\"]}", event, arrays[i].is_changed);
    }
}

static void what_it_changed_from_and_to_is_asked_with_the_change(void **state)
{
    (void)state;
    static const char moved[] = "{\"before\":{\"s\":\"a\",\"n\":1},\"after\":{\"s\":\"b\",\"n\":1}}";
    event_must_be("{\"changed_from\":{\"s\":[\"a\"]},\"changed_to\":{\"s\":[\"b\"]}}", moved, true);
    event_must_be("{\"changed_from\":{\"s\":[\"b\"]}}", moved, false);
    event_must_be("{\"changed_to\":{\"s\":[\"b\"],\"n\":[1]}}", moved, false);
    event_must_be("{\"changed_to\":{\"n\":[1]}}", moved, false);
    event_must_be("{\"$or\":[{\"changed_to\":{\"n\":[1]}},{\"changed\":[\"s\"]}],\"after\":{\"s\":[\"b\"]}}",
                  moved, true);
    event_must_be("{\"changed_to\":{\"s\":[{\"anything-but\":[\"x\"]}]}}",
                  "{\"before\":null,\"after\":{\"s\":\"b\"}}", true);
    event_must_be("{\"changed_from\":{\"s\":[{\"exists\":true}]}}",
                  "{\"before\":null,\"after\":{\"s\":\"b\"}}", false);
}

static void the_word_and_its_place_explain_a_refusal(void **state)
{
    (void)state;
    static const struct text_places nowhere = {0};
    struct fault f = {0};
    struct filter_value event;
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    assert_true(pattern_compile_function(
        slice_of("{\"after\":{\"s\":[\"b\"]},\n \"changed_from\":{\"s\":[\"a\"]}}"), &nowhere, &pattern, &f));
    assert_true(json_event_parse(slice_of("{\"before\":{\"s\":\"b\"},\"after\":{\"s\":\"b\"}}"), FILTER_START,
                                 &tree, &event, &f));
    const struct pattern_term *term = match_explain(pattern, &JSON_EVENT_OPS, event, &scratch);
    assert_non_null(term);
    assert_true(slice_equal(term->path, slice_of("changed_from.s")));
    assert_int_equal(term->place.line, 2);
    assert_int_equal(term->place.column, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_with_dots_are_found),
        cmocka_unit_test(a_header_may_begin_the_name_of_another),
        cmocka_unit_test(a_structured_cloud_event_is_its_data),
        cmocka_unit_test(an_event_without_op_is_a_create),
        cmocka_unit_test(decimals_are_numbers_too),
        cmocka_unit_test(what_changed_is_compared_by_value),
        cmocka_unit_test(what_it_changed_from_and_to_is_asked_with_the_change),
        cmocka_unit_test(the_word_and_its_place_explain_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
