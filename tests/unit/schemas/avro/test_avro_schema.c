#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/avro/avro_type.h"
#include "schemas/registry/schema_identity.h"
#include "tests/unit/schemas/avro/sample_table.h"

static void check_golden(const struct table *t, void (*write)(struct bytes *, const struct table *),
                         const char *name)
{
    struct bytes have CLEANUP(bytes_clear) = {0};
    struct bytes want CLEANUP(bytes_clear) = {0};
    struct bytes golden CLEANUP(bytes_clear) = sample_table_golden(name);
    write(&have, t);
    schema_identity_minify(&want, bytes_slice(&golden));
    assert_string_equal(bytes_text(&have), bytes_text(&want));
}

static void schemas_of_a_table_are_debeziums_letter_for_letter(void **state)
{
    (void)state;
    struct table *t = sample_table();
    check_golden(t, avro_schema_key, "schema-1.json");
    check_golden(t, avro_schema_envelope, "schema-2.json");
    table_free(t);
}

static void schemas_with_a_serial_default_are_debeziums_letter_for_letter(void **state)
{
    (void)state;
    struct table *t = sample_table_default();
    check_golden(t, avro_schema_key, "schema-5.json");
    check_golden(t, avro_schema_envelope, "schema-6.json");
    table_free(t);
}

static const char *field_of(struct bytes *out, const struct sample_column *column)
{
    struct table *t = sample_table_new("t", column, 1);
    avro_schema_key(out, t);
    table_free(t);
    return bytes_text(out);
}

#define FIELD(json)                                                                                          \
    "{\"type\":\"record\",\"name\":\"Key\",\"namespace\":\"bench.public.t\",\"fields\":[" json               \
    "],\"connect.name\":\"bench.public.t.Key\"}"

static void check_field(struct sample_column column, const char *want)
{
    struct bytes text CLEANUP(bytes_clear) = {0};
    assert_string_equal(field_of(&text, &column), want);
    struct fault f;
    struct avro_type *type = NULL;
    assert_true(avro_type_parse(bytes_slice(&text), &type, &f));
    avro_type_free(type);
}

static void a_nullable_column_with_a_default_has_null_as_second_branch(void **state)
{
    (void)state;
    check_field(
        (struct sample_column){"a", &PG_NUMBER_INT32, true, false, 0, 0, "7"},
        FIELD("{\"name\":\"a\",\"type\":[{\"type\":\"int\",\"connect.default\":7},\"null\"],\"default\":7}"));
}

static void connect_type_follows_default_and_name(void **state)
{
    (void)state;
    check_field((struct sample_column){"a", &PG_NUMBER_INT16, false, false, 0, 0, NULL},
                FIELD("{\"name\":\"a\",\"type\":{\"type\":\"int\",\"connect.type\":\"int16\"}}"));
    check_field(
        (struct sample_column){"a", &PG_NUMBER_INT16, false, false, 0, 0, "1"},
        FIELD("{\"name\":\"a\",\"type\":{\"type\":\"int\",\"connect.default\":1,\"connect.type\":\"int16\"},"
              "\"default\":1}"));
}

static void a_default_stands_before_the_connect_name(void **state)
{
    (void)state;
    check_field(
        (struct sample_column){"a", &PG_TEMPORAL_DATE, false, false, 0, 0, "0"},
        FIELD("{\"name\":\"a\",\"type\":{\"type\":\"int\",\"connect.version\":1,\"connect.default\":0,"
              "\"connect.name\":\"io.debezium.time.Date\"},\"default\":0}"));
}

static void a_decimal_whose_scale_exceeds_its_precision_has_no_logical_type(void **state)
{
    (void)state;
    check_field(
        (struct sample_column){"a", &PG_NUMERIC_DECIMAL, false, false, 2, 5, NULL},
        FIELD(
            "{\"name\":\"a\",\"type\":{\"type\":\"bytes\",\"scale\":5,\"precision\":2,\"connect.version\":1,"
            "\"connect.parameters\":{\"scale\":\"5\",\"connect.decimal.precision\":\"2\"},"
            "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\"}}"));
}

static void the_variable_decimal_is_defined_once_and_then_named(void **state)
{
    (void)state;
    static const struct sample_column COLUMNS[] = {
        {"a", &PG_NUMERIC_VARIABLE, true, true, 0, 0, NULL},
        {"b", &PG_NUMERIC_VARIABLE, true, false, 0, 0, NULL},
    };
    struct table *t = sample_table_new("t", COLUMNS, 2);
    struct bytes text CLEANUP(bytes_clear) = {0};
    avro_schema_envelope(&text, t);
    const char *first = strstr(bytes_text(&text), "\"name\":\"VariableScaleDecimal\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"name\":\"VariableScaleDecimal\""));
    assert_non_null(
        strstr(first, "{\"name\":\"b\",\"type\":[\"null\",\"io.debezium.data.VariableScaleDecimal\"],"));
    struct fault f;
    struct avro_type *type = NULL;
    assert_true(avro_type_parse(bytes_slice(&text), &type, &f));
    avro_type_free(type);
    table_free(t);
}

static void names_that_avro_forbids_are_adjusted_and_stay_different(void **state)
{
    (void)state;
    static const struct sample_column COLUMNS[] = {
        {"1st", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
        {"a b", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
        {"a-b", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
        {"h\xc3\xb6he", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
        {"\"quoted\"", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
        {"x\xf0\x9f\x98\x80", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
    };
    struct table *t = sample_table_new("my-table", COLUMNS, 6);
    struct bytes text CLEANUP(bytes_clear) = {0};
    avro_schema_envelope(&text, t);
    const char *all = bytes_text(&text);
    assert_non_null(strstr(all, "\"namespace\":\"bench.public.my_table\""));
    static const char *const NAMES[] = {"\"_1st\"", "\"a_b\"",      "\"a_b_3\"",
                                        "\"h_he\"", "\"_quoted_\"", "\"x__\""};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        assert_non_null(strstr(all, NAMES[i]));
    }
    struct fault f;
    struct avro_type *type = NULL;
    assert_true(avro_type_parse(bytes_slice(&text), &type, &f));
    avro_type_free(type);
    table_free(t);
}

// In whatever order they are: each has a name of its own, and a name that Avro allows stays as it is.
static void names_that_become_the_same_stay_different(void **state)
{
    (void)state;
    static const char *const WANTED[][2][3] = {
        {{"a b", "a_b", "a_b_1"}, {"a_b_1_1", "a_b", "a_b_1"}},
        {{"a_b_3", "a_b", "a b"}, {"a_b_3", "a_b", "a_b_3_3"}},
        {{"a-b", "a b", "a_b_2"}, {"a_b", "a_b_2_2", "a_b_2"}},
        {{"a b", "a_b", "a b 1"}, {"a_b_1_1", "a_b", "a_b_1"}},
        {{"a-b", "a b", "a-b-2"}, {"a_b", "a_b_2_2", "a_b_2"}},
    };
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        struct sample_column columns[3];
        for (size_t k = 0; k < 3; k++) {
            columns[k] = (struct sample_column){WANTED[i][0][k], &PG_NUMBER_INT32, false, false, 0, 0, NULL};
        }
        struct table *t = sample_table_new("t", columns, 3);
        for (size_t k = 0; k < 3; k++) {
            struct bytes name CLEANUP(bytes_clear) = {0};
            avro_schema_column_name(&name, t, k);
            assert_string_equal(bytes_text(&name), WANTED[i][1][k]);
        }
        table_free(t);
    }
}

static void records_of_different_types_never_share_a_name(void **state)
{
    (void)state;
    struct schema_names names CLEANUP(schema_names_clear) = {0};
    static const struct {
        uint32_t owner;
        bool is_new;
        const char *name;
    } STEPS[] = {
        {7, true, "shop.a_b"}, {8, true, "shop.a_b_2"}, {7, false, "shop.a_b"}, {8, false, "shop.a_b_2"}};
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        struct bytes name CLEANUP(bytes_clear) = {0};
        assert_int_equal(schema_names_choose(&names, "shop.a_b", STEPS[i].owner, &name), STEPS[i].is_new);
        assert_string_equal(bytes_text(&name), STEPS[i].name);
    }
}

static void a_branch_for_text_is_the_last_one(void **state)
{
    (void)state;
    static const struct sample_column COLUMNS[] = {{"a", &PG_NUMBER_INT32, true, false, 0, 0, NULL},
                                                   {"b", &PG_NUMBER_INT32, true, false, 0, 0, "7"},
                                                   {"c", &PG_NUMBER_INT32, false, false, 0, 0, NULL}};
    struct table *t = sample_table_new("t", COLUMNS, 3);
    for (size_t i = 0; i < 3; i++) {
        t->columns[i].has_text = true;
    }
    struct bytes text CLEANUP(bytes_clear) = {0};
    avro_schema_value(&text, t);
    assert_non_null(strstr(bytes_text(&text), "{\"name\":\"a\",\"type\":[\"null\",\"int\",\"string\"],"));
    assert_non_null(strstr(bytes_text(&text), "7},\"null\",\"string\"],\"default\":7}"));
    assert_non_null(strstr(bytes_text(&text), "{\"name\":\"c\",\"type\":[\"int\",\"string\"]}"));
    table_free(t);
}

static void a_namespace_is_the_topic_s_name(void **state)
{
    (void)state;
    static const struct sample_column COLUMNS[] = {{"id", &PG_NUMBER_INT32, false, false, 0, 0, NULL}};
    // Table, namespace.
    static const char *const NAMES[][2] = {
        {"9lead", "\"namespace\":\"bench.public.9lead\""},
        {"dot.ted", "\"namespace\":\"bench.public.dot.ted\""},
        {"a-b", "\"namespace\":\"bench.public.a_b\""},
        {".x.", "\"namespace\":\"bench.public._.x._\""},
    };
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct table *t = sample_table_new(NAMES[i][0], COLUMNS, 1);
        struct bytes text CLEANUP(bytes_clear) = {0};
        avro_schema_envelope(&text, t);
        assert_non_null(strstr(bytes_text(&text), NAMES[i][1]));
        struct fault f;
        struct avro_type *type = NULL;
        assert_true(avro_type_parse(bytes_slice(&text), &type, &f));
        avro_type_free(type);
        table_free(t);
    }
}

// The record is defined where it first stands.
static void a_value_that_may_be_left_out_has_a_further_branch(void **state)
{
    (void)state;
    const struct sample_column columns[] = {{"id", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
                                            {"a", &PG_STRING_XML, false, false, 0, 0, NULL},
                                            {"b", &PG_STRING_TEXT, true, false, 0, 0, NULL},
                                            {"c", &PG_STRING_TEXT, true, false, 0, 0, "\"x\""}};
    struct table *t = sample_table_new("t", columns, 4);
    for (size_t i = 1; i < 4; i++) {
        t->columns[i].has_marker = true;
    }
    struct bytes text CLEANUP(bytes_clear) = {0};
    avro_schema_value(&text, t);
    assert_string_equal(
        bytes_text(&text),
        "{\"type\":\"record\",\"name\":\"Value\",\"fields\":[{\"name\":\"id\",\"type\":\"int\"},"
        "{\"name\":\"a\",\"type\":[{\"type\":\"string\",\"connect.version\":1,\"connect.name\":"
        "\"io.debezium.data.Xml\"},{\"type\":\"record\",\"name\":\"Unchanged\",\"namespace\":\"millrace\","
        "\"fields\":[{\"name\":\"unchanged\",\"type\":\"boolean\"}]}]},"
        "{\"name\":\"b\",\"type\":[\"null\",\"string\",\"millrace.Unchanged\"],\"default\":null},"
        "{\"name\":\"c\",\"type\":[{\"type\":\"string\",\"connect.default\":\"x\"},\"null\","
        "\"millrace.Unchanged\"],\"default\":\"x\"}],\"connect.name\":\"bench.public.t.Value\"}");
    bytes_reset(&text);
    avro_schema_envelope(&text, t);
    struct fault f;
    struct avro_type *type = NULL;
    assert_true(avro_type_parse(bytes_slice(&text), &type, &f));
    avro_type_free(type);
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_of_a_table_are_debeziums_letter_for_letter),
        cmocka_unit_test(schemas_with_a_serial_default_are_debeziums_letter_for_letter),
        cmocka_unit_test(a_nullable_column_with_a_default_has_null_as_second_branch),
        cmocka_unit_test(connect_type_follows_default_and_name),
        cmocka_unit_test(a_default_stands_before_the_connect_name),
        cmocka_unit_test(a_decimal_whose_scale_exceeds_its_precision_has_no_logical_type),
        cmocka_unit_test(the_variable_decimal_is_defined_once_and_then_named),
        cmocka_unit_test(names_that_avro_forbids_are_adjusted_and_stay_different),
        cmocka_unit_test(names_that_become_the_same_stay_different),
        cmocka_unit_test(records_of_different_types_never_share_a_name),
        cmocka_unit_test(a_branch_for_text_is_the_last_one),
        cmocka_unit_test(a_namespace_is_the_topic_s_name),
        cmocka_unit_test(a_value_that_may_be_left_out_has_a_further_branch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
