// bridge/filter/avro_event: a filter sees in Avro what the function sees in JSON.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/filter/avro_event.h"
#include "bridge/filter/match.h"
#include "core/base/memory.h"
#include "schemas/json/event_view.h"
#include "tests/unit/bridge/filter/order_event.h"

static const struct order_row PAID = {
    7, "paid", 12050, true, 0.25, "{\"a\":{\"b\":[1,\"x\"]},\"n\":1.50}", "new", "A-1"};
static const struct order_row OPEN = {
    7, "open", 12050, false, 0.25, "{\"n\":1.5,\"a\":{\"b\":[1,\"x\"]}}", "new", "A-1"};
static const struct order_row ODD = {-9007199254740993, NULL, -5, false, 0, "no json", NULL, "B"};

/** Each with its verdict on an update from OPEN to PAID. */
static const struct {
    const char *pattern;
    bool expected;
} CASES[] = {
    {"{\"op\":[\"u\"]}", true},
    {"{\"op\":[\"c\",\"d\"]}", false},
    {"{\"after\":{\"status\":[\"paid\"]},\"before\":{\"status\":[\"open\"]}}", true},
    {"{\"after.status\":[{\"prefix\":\"pa\"}],\"after.id\":[7]}", true},
    {"{\"after\":{\"id\":[{\"numeric\":[\">\",6,\"<\",7.5]}]}}", true},
    {"{\"after\":{\"total\":[{\"numeric\":[\">\",120.49]}]}}", true},
    {"{\"after\":{\"total\":[120.5]}}", true},
    {"{\"after\":{\"total\":[\"120.50\"]}}", true},
    {"{\"after\":{\"total\":[\"120.5\"]}}", false},
    {"{\"after\":{\"total\":[{\"anything-but\":[120.5]}]}}", false},
    {"{\"after\":{\"total\":[{\"numeric\":[\">\",120.5]}]}}", false},
    {"{\"after\":{\"any_number\":[\"12.500\"]}}", true},
    {"{\"after\":{\"any_number\":[{\"numeric\":[\"=\",12.5]}]}}", true},
    {"{\"after\":{\"any_number\":{\"scale\":[3]}}}", false},
    {"{\"after\":{\"paid\":[true]},\"before\":{\"paid\":[false]}}", true},
    {"{\"after\":{\"ratio\":[0.25],\"weight\":[1.5]}}", true},
    {"{\"after\":{\"day\":[\"2024-01-01\"]}}", true},
    {"{\"after\":{\"day\":[19723]}}", false},
    {"{\"after\":{\"at\":[\"03:04:05.5\"]}}", true},
    {"{\"after\":{\"made\":[{\"prefix\":\"2024-01-01T00:00:00.000001\"}]}}", true},
    {"{\"after\":{\"raw\":[\"AQID\"]}}", true},
    {"{\"after\":{\"doc\":{\"a\":{\"b\":[\"x\"]},\"n\":[1.5]}}}", true},
    {"{\"after\":{\"doc\":{\"a\":{\"c\":[{\"exists\":false}]}}}}", true},
    {"{\"after\":{\"doc\":[{\"exists\":false}]}}", true},
    {"{\"after\":{\"tags\":[\"last\"]}}", true},
    {"{\"after\":{\"tags\":[null]}}", true},
    {"{\"after\":{\"tags\":[\"none\"]}}", false},
    {"{\"after\":{\"attributes\":{\"colour\":[\"blue\"]}}}", true},
    {"{\"after\":{\"attributes\":{\"colour\":[\"red\"]}}}", false},
    {"{\"after\":{\"attributes\":{\"size\":[{\"exists\":false}]}}}", true},
    {"{\"after\":{\"items\":{\"sku\":[\"A-1\"],\"count\":[2]}}}", true},
    {"{\"after\":{\"items\":{\"sku\":[\"A-1\"],\"count\":[7]}}}", false},
    {"{\"after\":{\"items\":{\"sku\":[\"second\"],\"count\":[7]}}}", true},
    {"{\"source\":{\"table\":[\"orders\"],\"txId\":[771],\"snapshot\":[null]}}", true},
    {"{\"source\":[{\"exists\":true}]}", false},
    {"{\"after\":{\"lost\":[{\"exists\":false}],\"status\":[\"paid\"]}}", true},
    {"{\"after\":{\"lost\":[null]}}", false},
    {"{\"key\":{\"id\":[7]}}", true},
    {"{\"headers\":{\"tenant\":[\"shop\"],\"a.b\":[\"1\"],\"a.c\":[\"2\"]}}", true},
    {"{\"headers\":{\"a\":{\"c\":[\"2\"],\"d\":[{\"exists\":false}]}}}", true},
    {"{\"headers\":{\"nothing\":[null]}}", true},
    {"{\"headers\":{\"a\":[\"1\"]}}", false},
    {"{\"headers\":{\"p\":[\"3\"],\"p.q\":[\"4\"]}}", true},
    {"{\"headers\":{\"p.q\":[\"4\"]}}", true},
    {"{\"headers\":{\"p\":[\"4\"]}}", false},
    {"{\"headers\":{\"p.r\":[{\"exists\":false}],\"p\":[{\"exists\":true}]}}", true},
    {"{\"headers\":{\"p.q\":[{\"exists\":false}]}}", false},
    {"{\"changed\":[\"status\"]}", true},
    {"{\"changed\":[\"id\",\"total\",\"doc\",\"tags\",\"items\"]}", false},
    {"{\"changed\":[\"lost\"]}", false},
    {"{\"changed_from\":{\"status\":[\"open\"]},\"changed_to\":{\"status\":[\"paid\"]}}", true},
    {"{\"changed_from\":{\"status\":[\"paid\"]}}", false},
    {"{\"changed_to\":{\"id\":[7]}}", false},
    {"{\"$or\":[{\"changed\":[\"total\"]},{\"op\":[\"d\"]}]}", false},
    {"{\"$or\":[{\"changed\":[\"paid\"]},{\"op\":[\"d\"]}],\"after\":{\"paid\":[true]}}", true},
};

struct order_case {
    struct avro_type *value_type;
    struct avro_type *key_type;
    struct bytes value;
    struct bytes key;
    rd_kafka_headers_t *headers;
    struct avro_event event;
    struct bytes scratch;
};

static struct avro_type *parse(const char *schema)
{
    struct avro_type *type = NULL;
    struct fault f = {0};
    if (!avro_type_parse(slice_of(schema), &type, &f)) {
        fail_msg("%s", f.text);
    }
    return type;
}

static void start(struct order_case *c)
{
    *c = (struct order_case){0};
    c->value_type = parse(ORDER_SCHEMA);
    c->key_type =
        parse("{\"type\":\"record\",\"name\":\"Key\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}");
    put_long(&c->key, 7);
    c->headers = rd_kafka_headers_new(4);
    const char *const headers[][2] = {{"tenant", "other"}, {"tenant", "shop"}, {"a.b", "1"}, {"a.c", "2"},
                                      {"nothing", NULL},   {"p", "3"},         {"p.q", "4"}};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        (void)rd_kafka_header_add(c->headers, headers[i][0], -1, headers[i][1],
                                  headers[i][1] == NULL ? 0 : -1);
    }
}

static void stop(struct order_case *c)
{
    avro_type_free(c->value_type);
    avro_type_free(c->key_type);
    bytes_clear(&c->value);
    bytes_clear(&c->key);
    bytes_clear(&c->scratch);
    rd_kafka_headers_destroy(c->headers);
    avro_event_clear(&c->event);
}

static struct pattern *compile(const char *text)
{
    static const struct text_places nowhere = {0};
    struct pattern *pattern = NULL;
    struct fault f = {0};
    if (!pattern_compile_function(slice_of(text), &nowhere, &pattern, &f)) {
        fail_msg("%s: %s", text, f.text);
    }
    return pattern;
}

/** False: the bytes do not match the schema. */
static bool judge_avro(struct order_case *c, const struct pattern *pattern, struct slice value, bool *ret)
{
    struct fault f;
    struct avro_plan *plan = avro_plan_new(pattern, c->value_type, c->key_type);
    const struct avro_source source = {value, bytes_slice(&c->key), bytes_slice(&c->key), true, c->headers};
    bool is_read = avro_event_read(&c->event, plan, &source, &f);
    if (is_read) {
        *ret = match_event(pattern, &AVRO_EVENT_OPS, avro_event_root(&c->event), &c->scratch);
        is_read = avro_event_finish(&c->event, &f);
        bool is_refused =
            match_explain(pattern, &AVRO_EVENT_OPS, avro_event_root(&c->event), &c->scratch) != NULL;
        assert_true(!is_read || is_refused == !*ret);
    }
    avro_plan_free(plan);
    return is_read;
}

/** The same on the JSON that the function gets, with the key and headers. */
static bool judge_json(struct order_case *c, const struct pattern *pattern, struct slice value, bool *ret)
{
    struct fault f;
    CLEANUP(bytes_clear) struct bytes json = {0};
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    bytes_append_string(
        &json, "{\"key\":{\"id\":7},\"headers\":{\"tenant\":\"shop\",\"a\":{\"b\":\"1\",\"c\":\"2\"},"
               "\"nothing\":null,\"p\":[\"3\",{\"q\":\"4\"}]},");
    size_t before = json.size;
    if (!event_view_encode(c->value_type, value, NULL, &json, &f)) {
        return false;
    }
    memmove(json.data + before, json.data + before + 1, json.size - before - 1);
    json.size--;
    assert_true(json_tree_parse(bytes_slice(&json), (struct json_place){1, 1}, &tree, &f));
    *ret = match_event(pattern, &JSON_EVENT_OPS, json_tree_value(&tree, &tree.nodes[0]), &c->scratch);
    return true;
}

static void what_the_function_sees_is_what_the_filter_sees(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    put_order(&c.value, "u", &OPEN, &PAID);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        CLEANUP(pattern_free_pointer) struct pattern *pattern = compile(CASES[i].pattern);
        bool in_avro = false;
        bool in_json = false;
        assert_true(judge_avro(&c, pattern, bytes_slice(&c.value), &in_avro));
        assert_true(judge_json(&c, pattern, bytes_slice(&c.value), &in_json));
        if (in_avro != CASES[i].expected || in_json != CASES[i].expected) {
            fail_msg("%s: avro %d, json %d", CASES[i].pattern, in_avro, in_json);
        }
    }
    stop(&c);
}

static void avro_and_json_agree_on_every_kind_of_event(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    const struct order_row *const rows[] = {NULL, &PAID, &OPEN, &ODD};
    const char *const operations[] = {"c", "u", "d", "r"};
    for (size_t i = 0; i < 64; i++) {
        bytes_reset(&c.value);
        put_order(&c.value, operations[i / 16], rows[i % 4], rows[i / 4 % 4]);
        for (size_t k = 0; k < COUNT_OF(CASES); k++) {
            CLEANUP(pattern_free_pointer) struct pattern *pattern = compile(CASES[k].pattern);
            bool in_avro = false;
            bool in_json = false;
            assert_true(judge_avro(&c, pattern, bytes_slice(&c.value), &in_avro));
            assert_true(judge_json(&c, pattern, bytes_slice(&c.value), &in_json));
            if (in_avro != in_json) {
                fail_msg("%s on event %zu: avro %d, json %d", CASES[k].pattern, i, in_avro, in_json);
            }
        }
    }
    stop(&c);
}

/** An event that is cut off has no verdict, unless all that the pattern looks at is there. */
static void a_record_that_is_cut_off_is_an_error_or_has_the_same_verdict(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    put_order(&c.value, "u", &OPEN, &PAID);
    for (size_t k = 0; k < COUNT_OF(CASES); k++) {
        CLEANUP(pattern_free_pointer) struct pattern *pattern = compile(CASES[k].pattern);
        for (size_t size = 0; size < c.value.size; size++) {
            uint8_t *exact = memory_new(size + 1);
            memcpy(exact, c.value.data, size);
            uint8_t *fitting = realloc(exact, size > 0 ? size : 1);
            bool verdict = false;
            if (judge_avro(&c, pattern, slice_make(fitting, size), &verdict)) {
                assert_int_equal(verdict, CASES[k].expected);
            }
            free(fitting);
        }
    }
    stop(&c);
}

static void a_record_that_is_no_envelope_is_a_row_that_was_created(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    avro_type_free(c.value_type);
    c.value_type =
        parse("{\"type\":\"record\",\"name\":\"Plain\",\"fields\":[{\"name\":\"n\",\"type\":\"int\"}]}");
    put_long(&c.value, 5);
    static const char *const patterns[] = {"{\"op\":[\"c\"],\"after\":{\"n\":[5]}}",
                                           "{\"before\":[null],\"source\":[null]}", "{\"changed\":[\"n\"]}",
                                           "{\"changed_to\":{\"n\":[5]}}"};
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        CLEANUP(pattern_free_pointer) struct pattern *pattern = compile(patterns[i]);
        bool verdict = false;
        assert_true(judge_avro(&c, pattern, bytes_slice(&c.value), &verdict));
        assert_true(verdict);
    }
    stop(&c);
}

static void a_key_that_is_no_avro_is_text(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    put_order(&c.value, "u", NULL, &PAID);
    CLEANUP(pattern_free_pointer) struct pattern *pattern = compile("{\"key\":[\"row-7\"]}");
    struct avro_plan *plan = avro_plan_new(pattern, c.value_type, NULL);
    struct avro_source source = {bytes_slice(&c.value), slice_of("row-7"), slice_of("row-7"), true, NULL};
    struct fault f;
    assert_true(avro_event_read(&c.event, plan, &source, &f));
    assert_true(match_event(pattern, &AVRO_EVENT_OPS, avro_event_root(&c.event), &c.scratch));
    assert_true(avro_event_lacks_before(&c.event) == false);  // the pattern does not look there
    source.has_key = false;
    assert_true(avro_event_read(&c.event, plan, &source, &f));
    assert_false(match_event(pattern, &AVRO_EVENT_OPS, avro_event_root(&c.event), &c.scratch));
    avro_plan_free(plan);
    stop(&c);
}

static void fields_that_a_schema_lacks_are_known(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    CLEANUP(pattern_free_pointer)
    struct pattern *pattern = compile(
        "{\"after\":{\"status\":[\"a\"],\"lost\":[1]},\"changed\":[\"gone\"],\"source\":{\"none\":[1]}}");
    struct avro_plan *plan = avro_plan_new(pattern, c.value_type, c.key_type);
    assert_int_equal(plan->missing_count, 4);  // after.lost, before.gone, after.gone, source.none
    avro_plan_free(plan);
    stop(&c);
}

/** A column that was not sent because it did not change has a sign in its place. */
static void a_value_that_was_not_sent_has_not_changed(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    struct order_row row = PAID;
    row.status = "__debezium_unavailable_value";
    put_order(&c.value, "u", NULL, &row);
    CLEANUP(pattern_free_pointer) struct pattern *unsent = compile("{\"changed\":[\"status\"]}");
    CLEANUP(pattern_free_pointer) struct pattern *sent = compile("{\"changed\":[\"status\",\"id\"]}");
    bool verdict = true;
    assert_true(judge_avro(&c, unsent, bytes_slice(&c.value), &verdict));
    assert_false(verdict);
    assert_true(judge_avro(&c, sent, bytes_slice(&c.value), &verdict));
    assert_true(verdict);  // without the row before, it may have
    stop(&c);
}

/** The same as a record of its own: the column is absent. */
static void a_column_that_was_marked_as_not_sent_is_absent_and_has_not_changed(void **state)
{
    (void)state;
    struct order_case c;
    start(&c);
    avro_type_free(c.value_type);
    c.value_type = parse("{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":[{\"name\":\"before\","
                         "\"type\":[\"null\",{\"type\":"
                         "\"record\",\"name\":\"Value\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},{"
                         "\"name\":\"note\",\"type\":["
                         "\"null\",\"string\",{\"type\":\"record\",\"name\":\"Unchanged\",\"namespace\":"
                         "\"millrace\",\"fields\":["
                         "{\"name\":\"unchanged\",\"type\":\"boolean\"}]}]}]}]},{\"name\":\"after\",\"type\":"
                         "[\"null\",\"Value\"]},"
                         "{\"name\":\"op\",\"type\":\"string\"}]}");
    static const uint8_t event[] = {0, 2, 14, 4, 1, 2, 'u'};
    static const struct {
        const char *pattern;
        bool expected;
    } cases[] = {
        {"{\"after\":{\"note\":[{\"exists\":false}],\"id\":[7]}}", true},
        {"{\"after\":{\"note\":[{\"exists\":true}]}}", false},
        {"{\"after\":{\"note\":[null]}}", false},
        {"{\"changed\":[\"note\"]}", false},
        {"{\"changed\":[\"id\"]}", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(pattern_free_pointer) struct pattern *pattern = compile(cases[i].pattern);
        bool verdict = !cases[i].expected;
        assert_true(judge_avro(&c, pattern, slice_make(event, sizeof event), &verdict));
        if (verdict != cases[i].expected) {
            fail_msg("%s: %d", cases[i].pattern, verdict);
        }
    }
    stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_function_sees_is_what_the_filter_sees),
        cmocka_unit_test(avro_and_json_agree_on_every_kind_of_event),
        cmocka_unit_test(a_record_that_is_cut_off_is_an_error_or_has_the_same_verdict),
        cmocka_unit_test(a_record_that_is_no_envelope_is_a_row_that_was_created),
        cmocka_unit_test(a_key_that_is_no_avro_is_text),
        cmocka_unit_test(fields_that_a_schema_lacks_are_known),
        cmocka_unit_test(a_value_that_was_not_sent_has_not_changed),
        cmocka_unit_test(a_column_that_was_marked_as_not_sent_is_absent_and_has_not_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
