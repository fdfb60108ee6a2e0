// Parsed schemas, their canonical text and their compatibility; the latter against what Apache Avro for Java
// says of random pairs (tests/golden/avro-compatibility).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_compatible.h"
#include "schemas/avro/avro_type.h"

static struct avro_parsed_schema *parse(const char *text)
{
    struct slice slice = slice_of(text);
    struct avro_parsed_schema *schema = NULL;
    struct fault f;
    return avro_parsed_read(&slice, 1, AVRO_PARSED_CLOSED, &schema, &f) ? schema : NULL;
}

static char *canonical(const char *text)
{
    struct avro_parsed_schema *schema = parse(text);
    assert_non_null(schema);
    struct bytes out = {0};
    avro_parsed_write(&out, schema);
    avro_parsed_free(schema);
    char *copy = memory_string(bytes_text(&out));
    bytes_clear(&out);
    return copy;
}

static void assert_canonical(const char *text, const char *expected)
{
    char *found = canonical(text);
    assert_string_equal(found, expected);
    char *again = canonical(found);  // it is a schema, and its own canonical text
    assert_string_equal(again, expected);
    free(again);
    free(found);
}

static void schemas_that_say_the_same_have_one_text(void **state)
{
    (void)state;
    assert_canonical(" { \"type\" : \"string\" } ", "\"string\"");
    assert_canonical("{\"connect.version\":1,\"type\":\"int\",\"a\":{\"z\":1,\"b\":2}}",
                     "{\"type\":\"int\",\"a\":{\"b\":2,\"z\":1},\"connect.version\":1}");
    static const char EXPECTED[] =
        "{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",{\"type\":"
        "\"enum\",\"name\":\"n.E\",\"symbols\":[\"X\"],\"aliases\":[\"n.F\",\"o.G\"],\"default\":\"X\"}],"
        "\"default\":null},{\"name\":\"b\",\"type\":\"n.E\",\"doc\":\"d\",\"order\":\"ignore\",\"aliases\":"
        "[\"c\",\"d\"],\"p\":1}]}";
    assert_canonical("{\"name\":\"R\",\"namespace\":\"n\",\"type\":\"record\",\"doc\":\"\",\"fields\":["
                     "{\"default\":null,\"order\":\"ascending\",\"type\":[\"null\",{\"name\":\"E\",\"type\":"
                     "\"enum\",\"default\":\"X\",\"aliases\":[\"o.G\",\"F\"],\"symbols\":[\"X\"]}],\"name\":"
                     "\"a\"},{\"p\":1,\"name\":\"b\",\"aliases\":[\"d\",\"c\"],\"order\":\"ignore\",\"doc\":"
                     "\"d\",\"type\":{\"type\":\"E\"}}]}",
                     EXPECTED);
}

#define WITH_ZERO                                                                                            \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"d\",\"type\":\"bytes\",\"default\":"        \
    "\"\\u0000\\u0096\"}]}"

static void a_default_may_have_zeros_and_a_name_none(void **state)
{
    (void)state;
    struct avro_parsed_schema *schema = parse(WITH_ZERO);
    assert_non_null(schema);
    avro_parsed_free(schema);
    struct fault f;
    struct avro_type *type = NULL;
    assert_true(avro_type_parse(slice_of(WITH_ZERO), &type, &f));
    avro_type_free(type);
    assert_null(parse("{\"type\":\"fixed\",\"name\":\"a\\u0000b\",\"size\":1}"));
    assert_null(parse("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\\u0000b\"]}"));
}

static void a_name_without_namespace_keeps_none(void **state)
{
    (void)state;
    assert_canonical(
        "{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"fixed\","
        "\"name\":\"F\",\"namespace\":\"\",\"size\":2}}]}",
        "{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"fixed\","
        "\"name\":\"F\",\"namespace\":\"\",\"size\":2}}]}");
}

static void types_of_other_texts_are_written_where_they_are_used(void **state)
{
    (void)state;
    const struct slice texts[] = {
        slice_of("{\"type\":\"fixed\",\"name\":\"o.F\",\"size\":4}"),
        slice_of("{\"type\":\"array\",\"items\":\"o.F\"}"),
    };
    struct avro_parsed_schema *schema = NULL;
    struct fault f;
    struct bytes out = {0};
    assert_true(avro_parsed_read(texts, 2, AVRO_PARSED_CLOSED, &schema, &f));
    avro_parsed_write(&out, schema);
    assert_string_equal(bytes_text(&out),
                        "{\"type\":\"array\",\"items\":{\"type\":\"fixed\",\"name\":\"o.F\",\"size\":4}}");
    avro_parsed_free(schema);
    assert_false(avro_parsed_read(&texts[1], 1, AVRO_PARSED_CLOSED, &schema, &f));
    assert_string_equal(f.text, "Undefined name: o.F");
    bytes_reset(&out);
    assert_true(avro_parsed_read(&texts[1], 1, AVRO_PARSED_OPEN, &schema, &f));
    avro_parsed_write(&out, schema);
    assert_string_equal(bytes_text(&out), "{\"type\":\"array\",\"items\":\"o.F\"}");
    avro_parsed_free(schema);
    bytes_clear(&out);
}

static void what_is_no_schema_is_refused(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "",
        "{",
        "5",
        "\"nope\"",
        "{}",
        "{\"type\":5}",
        "[[\"int\"]]",
        "[\"int\",\"int\"]",
        "{\"type\":\"array\"}",
        "{\"type\":\"map\",\"values\":\"x\"}",
        "{\"type\":\"record\",\"name\":\"R\"}",
        "{\"type\":\"record\",\"name\":\"a b\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"int\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\"}]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\","
        "\"type\":\"int\"}]}",
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}",
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}",
        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}",
        "{\"type\":\"int\",\"type\":\"int\"}",
        "[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}]",
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        if (parse(WRONG[i]) != NULL) {
            fail_msg("accepted: %s", WRONG[i]);
        }
    }
}

static void nesting_and_size_are_limited(void **state)
{
    (void)state;
    struct bytes deep = {0};
    for (int i = 0; i < 1000; i++) {
        bytes_append_string(&deep, "{\"type\":\"array\",\"items\":");
    }
    assert_null(parse(bytes_text(&deep)));
    bytes_append_string(&deep, "\"int\"");
    for (int i = 0; i < 1000; i++) {
        bytes_append_byte(&deep, '}');
    }
    assert_null(parse(bytes_text(&deep)));
    bytes_clear(&deep);
}

// A chain of records, each of which refers to the one before, behind the only field that both schemas have.
static struct avro_parsed_schema *parse_chain(char field, int count)
{
    struct bytes text = {0};
    bytes_append_string(&text, "{\"type\":\"record\",\"name\":\"Z\",\"fields\":[");
    for (int i = 0; i < count; i++) {
        bytes_format(&text,
                     "{\"name\":\"%c%d\",\"default\":0,\"type\":{\"type\":\"record\",\"name\":\"R%d\","
                     "\"fields\":[{\"name\":\"a\",\"type\":",
                     field, i, i);
        bytes_format(&text, i == 0 ? "\"int\"" : "\"R%d\"", i - 1);
        bytes_append_string(&text, "}]}},");
    }
    bytes_format(&text, "{\"name\":\"z\",\"type\":\"R%d\"}]}", count - 1);
    struct avro_parsed_schema *schema = parse(bytes_text(&text));
    assert_non_null(schema);
    bytes_clear(&text);
    return schema;
}

static void schemas_too_deep_to_compare_are_incompatible(void **state)
{
    (void)state;
    for (int count = 100; count <= 10000; count *= 100) {
        struct avro_parsed_schema *reader = parse_chain('f', count);
        struct avro_parsed_schema *writer = parse_chain('g', count);
        struct text_list messages = {0};
        assert_int_equal(avro_compatible_check(reader, writer, "new", "old", &messages), count == 100);
        assert_int_equal(messages.count, count == 100 ? 0 : 1);
        text_list_clear(&messages);
        avro_parsed_free(reader);
        avro_parsed_free(writer);
    }
}

static void a_recursive_schema_is_compared(void **state)
{
    (void)state;
    static const char LIST[] =
        "{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"v\",\"type\":\"%s\"},{\"name\":\"next\","
        "\"type\":[\"null\",\"L\"]}]}";
    char texts[2][200];
    (void)snprintf(texts[0], sizeof texts[0], LIST, "int");
    (void)snprintf(texts[1], sizeof texts[1], LIST, "long");
    struct avro_parsed_schema *ints = parse(texts[0]);
    struct avro_parsed_schema *longs = parse(texts[1]);
    struct text_list messages = {0};
    assert_true(avro_compatible_check(longs, ints, "new", "old", &messages));
    assert_int_equal(messages.count, 0);
    assert_false(avro_compatible_check(ints, longs, "new", "old", &messages));
    assert_string_equal(
        messages.items[0],
        "{errorType:'TYPE_MISMATCH', description:'The type (path '/fields/0/type') of a field "
        "in the new schema does not match with the old schema', additionalInfo:'reader type: "
        "INT not compatible with writer type: LONG'}");
    text_list_clear(&messages);
    avro_parsed_free(ints);
    avro_parsed_free(longs);
}

static void check_message(const char *message, const json_t *expected, const char *line)
{
    char start[100];
    (void)snprintf(start, sizeof start, "{errorType:'%s', ", json_string_value(json_array_get(expected, 0)));
    char *place = memory_format("path '%s'", json_string_value(json_array_get(expected, 1)));
    char *end = memory_format("additionalInfo:'%s'}", json_string_value(json_array_get(expected, 2)));
    if (strncmp(message, start, strlen(start)) != 0 || strstr(message, place) == NULL ||
        strcmp(message + strlen(message) - strlen(end), end) != 0) {
        fail_msg("%s\nfound %s", line, message);
    }
    free(place);
    free(end);
}

static void check_pair(const char *line)
{
    json_t *json = json_loads(line, 0, NULL);
    struct avro_parsed_schema *reader = parse(json_string_value(json_object_get(json, "reader")));
    struct avro_parsed_schema *writer = parse(json_string_value(json_object_get(json, "writer")));
    const json_t *expected = json_object_get(json, "incompatibilities");
    struct text_list messages = {0};
    if (json_object_get(json, "error") != NULL) {  // Java's parser refuses one, or its check gives up
        if (reader != NULL && writer != NULL &&
            avro_compatible_check(reader, writer, "new", "old", &messages)) {
            fail_msg("not refused: %s", line);
        }
    } else {
        if (reader == NULL || writer == NULL) {
            fail_msg("refused: %s", line);
        }
        bool is_good = avro_compatible_check(reader, writer, "new", "old", &messages);
        if (is_good != (json_array_size(expected) == 0) || messages.count != json_array_size(expected)) {
            fail_msg("%s\nfound %zu: %s", line, messages.count, messages.count > 0 ? messages.items[0] : "");
        }
        for (size_t i = 0; i < messages.count; i++) {
            check_message(messages.items[i], json_array_get(expected, i), line);
        }
    }
    text_list_clear(&messages);
    avro_parsed_free(reader);
    avro_parsed_free(writer);
    json_decref(json);
}

static void random_pairs_are_judged_as_by_avro_for_java(void **state)
{
    (void)state;
    const char *path = getenv("MILLRACE_AVRO_PAIRS");
    FILE *file = fopen(path != NULL ? path : MILLRACE_GOLDEN_DIR "/avro-compatibility/pairs.jsonl", "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0;
    int count = 0;
    while (getline(&line, &size, file) > 0) {
        check_pair(line);
        count++;
    }
    assert_true(count > 100);
    free(line);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_that_say_the_same_have_one_text),
        cmocka_unit_test(a_default_may_have_zeros_and_a_name_none),
        cmocka_unit_test(a_name_without_namespace_keeps_none),
        cmocka_unit_test(types_of_other_texts_are_written_where_they_are_used),
        cmocka_unit_test(what_is_no_schema_is_refused),
        cmocka_unit_test(nesting_and_size_are_limited),
        cmocka_unit_test(schemas_too_deep_to_compare_are_incompatible),
        cmocka_unit_test(a_recursive_schema_is_compared),
        cmocka_unit_test(random_pairs_are_judged_as_by_avro_for_java),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
