// schemas/json/connect_schema: Kafka Connect's schema of an Avro type. Both sides of the first test were
// recorded of Debezium.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "schemas/json/connect_schema.h"

static char *golden(const char *name)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", MILLRACE_GOLDEN_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = memory_zeroed(1, 1 << 16);
    (void)fread(text, 1, (1 << 16) - 1, file);
    (void)fclose(file);
    return text;
}

/** The schema of a type's text, or the fault's text; the caller frees it. */
static char *schema_of(const char *avro, bool decimals_as_base64)
{
    struct avro_type *type = NULL;
    struct slice text;
    struct slice again;
    struct fault f;
    if (!avro_type_parse(slice_of(avro), &type, &f)) {
        fail_msg("%s", f.text);
    }
    struct connect_schemas *schemas = connect_schemas_new(decimals_as_base64);
    bool is_there = connect_schemas_get(schemas, type, &text, &f);
    char *ret = is_there ? slice_to_string(text) : memory_string(f.text);
    assert_true(!is_there || (connect_schemas_get(schemas, type, &again, &f) && again.data == text.data));
    connect_schemas_free(schemas);
    avro_type_free(type);
    return ret;
}

static void check(const char *avro, const char *expected)
{
    CLEANUP(memory_free_pointer) char *got = schema_of(avro, true);
    assert_string_equal(got, expected);
}

static void debezium_s_schema_is_what_json_converter_writes(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) char *avro = golden("envelope/schema-2.json");
    CLEANUP(memory_free_pointer) char *event = golden("debezium-json/insert.json");
    CLEANUP(memory_free_pointer) char *got = schema_of(avro, true);
    CLEANUP(memory_free_pointer)
    char *whole = memory_format("{\"schema\":%s,\"payload\":{\"before\":null,", got);
    event[strlen(whole)] = '\0';
    assert_string_equal(whole, event);
}

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"a.b.R\",\"fields\":[" fields "]}"
#define STRUCT(fields) "{\"type\":\"struct\",\"fields\":[" fields "],\"optional\":false,\"name\":\"a.b.R\"}"

static void types_and_defaults_are_those_of_connect(void **state)
{
    (void)state;
    check("\"string\"", "{\"type\":\"string\",\"optional\":false}");
    check(RECORD("{\"name\":\"s\",\"type\":{\"type\":\"int\",\"connect.type\":\"int16\"},\"default\":5}"),
          STRUCT("{\"type\":\"int16\",\"optional\":false,\"default\":5,\"field\":\"s\"}"));
    check(RECORD("{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"double\"]}},"
                 "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"float\"},\"default\":[1.5]}"),
          STRUCT("{\"type\":\"map\",\"keys\":{\"type\":\"string\",\"optional\":false},\"values\":{\"type\":"
                 "\"double\",\"optional\":true},\"optional\":false,\"field\":\"m\"},"
                 "{\"type\":\"array\",\"items\":{\"type\":\"float\",\"optional\":false},\"optional\":false,"
                 "\"default\":[1.5],\"field\":\"l\"}"));
    check(RECORD("{\"name\":\"b\",\"type\":\"bytes\",\"default\":\"\\u0001\\u00ff\"},"
                 "{\"name\":\"n\",\"type\":[\"null\",\"string\"],\"default\":null},"
                 "{\"name\":\"d\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}}"),
          STRUCT("{\"type\":\"bytes\",\"optional\":false,\"default\":\"Af8=\",\"field\":\"b\"},"
                 "{\"type\":\"string\",\"optional\":true,\"field\":\"n\"},"
                 "{\"type\":\"int32\",\"optional\":false,\"name\":\"org.apache.kafka.connect.data.Date\","
                 "\"version\":1,\"field\":\"d\"}"));
}

/** A type is described once in Avro, and each time in Connect. */
static void a_type_that_is_named_is_written_again(void **state)
{
    (void)state;
#define POINT_IN(names)                                                                                      \
    "{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":false,\"field\":\"x\"}]," names
    check(RECORD("{\"name\":\"p\",\"type\":{\"type\":\"record\",\"name\":\"P\",\"fields\":[{\"name\":\"x\","
                 "\"type\":\"int\"}]}},{\"name\":\"q\",\"type\":[\"null\",\"P\"],\"default\":null},"
                 "{\"name\":\"r\",\"type\":\"a.b.P\",\"default\":{\"x\":3}}"),
          STRUCT(POINT_IN("\"optional\":false,\"name\":\"a.b.P\",\"field\":\"p\"},")
                     POINT_IN("\"optional\":true,\"name\":\"a.b.P\",\"field\":\"q\"},")
                         POINT_IN("\"optional\":false,\"name\":\"a.b.P\",\"default\":{\"x\":3},\"field\":"
                                  "\"r\"}")));
}

/** An attribute that Avro does not know is no definition, whatever it is called. */
static void a_name_of_a_type_without_names_is_nothing(void **state)
{
    (void)state;
    check("{\"type\":\"int\",\"name\":5}", "{\"type\":\"int32\",\"optional\":false}");
    check(RECORD("{\"name\":\"l\",\"type\":{\"type\":\"array\",\"name\":\"P\",\"items\":{\"type\":\"record\","
                 "\"name\":\"P\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}}}"),
          STRUCT("{\"type\":\"array\",\"items\":" POINT_IN(
              "\"optional\":false,\"name\":\"a.b.P\"},") "\"optional\":false,\"field\":\"l\"}"));
}

static void decimals_are_written_as_values_are(void **state)
{
    (void)state;
    static const char AVRO[] =
        RECORD("{\"name\":\"n\",\"type\":{\"type\":\"bytes\",\"scale\":2,\"precision\":9,\"logicalType\":"
               "\"decimal\","
               "\"connect.default\":\"\\u0004\\u00e2\"},\"default\":\"\\u0004\\u00e2\"}");
    CLEANUP(memory_free_pointer) char *base64 = schema_of(AVRO, true);
    CLEANUP(memory_free_pointer) char *number = schema_of(AVRO, false);
    static const char *const NAME =
        "\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"2\","
        "\"connect.decimal.precision\":\"9\"},";
    assert_non_null(strstr(base64, NAME));
    assert_non_null(strstr(base64, "\"default\":\"BOI=\""));
    assert_non_null(strstr(number, "\"default\":12.50"));
}

static void what_connect_does_not_have_is_refused(void **state)
{
    (void)state;
#define REFUSED "the Avro schema has what Kafka Connect's schemas don't have: "
    check(RECORD("{\"name\":\"u\",\"type\":[\"int\",\"string\"]}"), REFUSED "a union of several types");
    check(RECORD("{\"name\":\"u\",\"type\":[\"null\",\"int\",\"string\"]}"),
          REFUSED "a union of several types");
    check(RECORD("{\"name\":\"r\",\"type\":[\"null\",\"R\"]}"),
          REFUSED "a record that is in itself, or types that are nested too deeply");
}

/** Each type has the one before it twice. */
static void a_short_text_does_not_become_gigabytes(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes text = {0};
    bytes_append_string(&text,
                        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f0\",\"type\":{\"type\":"
                        "\"record\",\"name\":\"T0\",\"fields\":[]}}");
    for (int i = 1; i < 30; i++) {
        bytes_format(
            &text,
            ",{\"name\":\"f%d\",\"type\":{\"type\":\"record\",\"name\":\"T%d\",\"fields\":[{\"name\":\"a\","
            "\"type\":\"T%d\"},{\"name\":\"b\",\"type\":\"T%d\"}]}}",
            i, i, i - 1, i - 1);
    }
    bytes_append_string(&text, "]}");
    check(bytes_text(&text), REFUSED "more than 1 MiB");
}

#define MARKED_ROW                                                                                           \
    "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"a\",\"type\":[\"string\",{\"type\":"      \
    "\"record\","                                                                                            \
    "\"name\":\"Unchanged\",\"namespace\":\"millrace\",\"fields\":[{\"name\":\"unchanged\",\"type\":"        \
    "\"boolean\"}]}]},"                                                                                      \
    "{\"name\":\"b\",\"type\":[\"null\",\"string\",\"millrace.Unchanged\"]}]}"

static void a_value_that_may_be_left_out_is_optional(void **state)
{
    (void)state;
    check(MARKED_ROW,
          "{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":true,\"field\":\"a\"},"
          "{\"type\":\"string\",\"optional\":true,\"field\":\"b\"}],\"optional\":false,\"name\":"
          "\"Row\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debezium_s_schema_is_what_json_converter_writes),
        cmocka_unit_test(types_and_defaults_are_those_of_connect),
        cmocka_unit_test(a_type_that_is_named_is_written_again),
        cmocka_unit_test(a_name_of_a_type_without_names_is_nothing),
        cmocka_unit_test(decimals_are_written_as_values_are),
        cmocka_unit_test(what_connect_does_not_have_is_refused),
        cmocka_unit_test(a_short_text_does_not_become_gigabytes),
        cmocka_unit_test(a_value_that_may_be_left_out_is_optional),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
