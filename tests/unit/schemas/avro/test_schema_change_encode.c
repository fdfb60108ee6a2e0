// schemas/avro/schema_change_encode against its schema.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_type.h"
#include "schemas/avro/event_schemas.h"
#include "schemas/avro/schema_change_encode.h"
#include "schemas/json/json_encode.h"
#include "tests/unit/schemas/avro/sample_table.h"

static char *to_json(const char *schema, struct bytes *avro)
{
    struct fault f;
    struct avro_type *type = NULL;
    struct bytes json = {0};
    const struct json_options options = {.as_stored = true};
    assert_true(avro_type_parse(slice_of(event_schemas_text(schema)), &type, &f));
    if (!json_encode_datum(type, bytes_slice(avro), &options, &json, &f)) {
        fail_msg("%s", f.text);
    }
    avro_type_free(type);
    bytes_clear(avro);
    char *text = slice_to_string(bytes_slice(&json));
    bytes_clear(&json);
    return text;
}

static void the_key_is_the_database(void **state)
{
    (void)state;
    struct bytes out = {0};
    schema_change_encode_key(&out, "db");
    char *text = to_json("schema-change-key", &out);
    assert_string_equal(text, "{\"databaseName\":\"db\"}");
    free(text);
}

static void the_value_has_the_whole_definition(void **state)
{
    (void)state;
    struct table *t = sample_table();
    t->shape = table_shape_new(16400, 'd', t->column_count);
    for (size_t i = 0; i < t->column_count; i++) {
        struct column_shape *c = &t->shape->columns[i];
        *c = (struct column_shape){.type = memory_string("numeric"),
                                   .expression = memory_string("numeric(10,2)"),
                                   .jdbc_type = 2,
                                   .length = i == 1 ? 10 : COLUMN_SHAPE_NONE,
                                   .scale = i == 1 ? 2 : COLUMN_SHAPE_NONE};
    }
    t->shape->columns[0].default_text = memory_string("nextval('s'::regclass)");
    t->shape->columns[1].is_generated = true;
    text_list_add(&t->columns[1].type.labels, "red");
    t->columns[1].type_oid = 1700;
    struct avro_envelope e = {.version = "1",
                              .connector = "postgresql",
                              .table = t,
                              .database = "db",
                              .snapshot = "false",
                              .now_ns = INT64_C(5000000)};
    struct schema_change change = {"CREATE", "public", "gone"};
    struct bytes out = {0};
    schema_change_encode_value(&out, &e, &change);
    table_free(t);
    char *text = to_json("schema-change-value", &out);
    static const char *const wanted[] = {
        "\"ts_ms\":5,\"databaseName\":\"db\",\"schemaName\":\"public\",\"ddl\":null,\"tableChanges\":[{"
        "\"type\":"
        "\"DROP\",\"id\":\"\\\"public\\\".\\\"gone\\\"\",\"table\":null},{\"type\":\"CREATE\",\"id\":"
        "\"\\\"public\\\"."
        "\\\"sample\\\"\",\"table\":{\"defaultCharsetName\":null,\"primaryKeyColumnNames\":[\"id\"],"
        "\"columns\":[",
        "\"position\":1,\"optional\":false,\"autoIncremented\":true,\"generated\":false,\"comment\":null,"
        "\"defaultValueExpression\":\"nextval('s'::regclass)\",\"enumValues\":null}",
        "\"jdbcType\":2,\"nativeType\":1700,\"typeName\":\"numeric\",\"typeExpression\":\"numeric(10,2)\","
        "\"charsetName\":null,\"length\":10,\"scale\":2,\"position\":2,",
        "\"autoIncremented\":false,\"generated\":true,\"comment\":null,\"defaultValueExpression\":null,"
        "\"enumValues\":[\"red\"]}",
        "\"length\":null,\"scale\":null,\"position\":3,",
    };
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        if (strstr(text, wanted[i]) == NULL) {
            fail_msg("no %s in %s", wanted[i], text);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_the_database),
        cmocka_unit_test(the_value_has_the_whole_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
