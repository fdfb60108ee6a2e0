#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "schemas/registry/registry_answer.h"
#include "schemas/registry/schema_batch.h"
#include "schemas/registry/schema_index.h"

static struct schema_index index_;

static bool apply(const char *key, const char *value)
{
    return schema_index_apply(&index_, slice_of(key),
                              value != NULL ? slice_of(value) : (struct slice){NULL, 0});
}

static int fill(void **state)
{
    (void)state;
    assert_true(
        apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}",
              "{\"subject\":\"s\",\"version\":1,\"id\":10,\"schema\":\"\\\"int\\\"\",\"deleted\":false}"));
    assert_true(
        apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2,\"magic\":1}",
              "{\"subject\":\"s\",\"version\":2,\"id\":11,\"schema\":\"{ \\\"type\\\": \\\"long\\\" }\","
              "\"deleted\":false}"));
    return 0;
}

static int clear(void **state)
{
    (void)state;
    schema_index_clear(&index_);
    return 0;
}

static void schemas_are_found_by_id_text_and_subject(void **state)
{
    (void)state;
    assert_string_equal(schema_index_text(&index_, 11), "{\"type\":\"long\"}");
    assert_null(schema_index_text(&index_, 12));
    assert_int_equal(schema_index_id(&index_, "\"int\""), 10);
    assert_int_equal(schema_index_find(&index_, "s", "\"int\"")->version, 1);
    assert_null(schema_index_find(&index_, "t", "\"int\""));
    assert_int_equal(schema_index_version(schema_index_subject(&index_, "s"), 0)->version, 2);
}

static void a_schema_that_says_the_same_is_found_whatever_the_order_of_its_attributes(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"r\",\"version\":1,\"magic\":1}",
                      "{\"subject\":\"r\",\"version\":1,\"id\":12,\"schema\":\"{\\\"type\\\":\\\"fixed\\\","
                      "\\\"name\\\":\\\"f\\\",\\\"size\\\":4}\",\"deleted\":false}"));
    const char *other = "{ \"size\" : 4, \"name\":\"f\", \"type\":\"fi\\u0078ed\" }";
    assert_int_equal(schema_index_id(&index_, other), 12);
    assert_int_equal(schema_index_find(&index_, "r", other)->version, 1);
    assert_int_equal(schema_index_id(&index_, "{\"type\":\"fixed\",\"name\":\"f\",\"size\":5}"), 0);
    assert_string_equal(schema_index_text(&index_, 12), "{\"type\":\"fixed\",\"name\":\"f\",\"size\":4}");
    struct schema_batch batch = {0};
    schema_batch_add(&batch, &index_, "n", "{\"type\":\"fixed\",\"name\":\"g\",\"size\":4}");
    schema_batch_add(&batch, &index_, "n", "{\"size\":4,\"type\":\"fixed\",\"name\":\"g\"}");
    schema_batch_add(&batch, &index_, "m", "{\"size\":4,\"type\":\"fixed\",\"name\":\"g\"}");
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.entries[0].id, batch.entries[1].id);
    struct schema_record *records = schema_batch_take(&batch);
    for (size_t i = 0; i < 2; i++) {
        bytes_clear(&records[i].key);
        bytes_clear(&records[i].value);
    }
    free(records);
}

static void deleted_versions_are_gone_and_their_ids_stay(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}",
                      "{\"subject\":\"s\",\"version\":1}"));
    assert_null(schema_index_find(&index_, "s", "\"int\""));
    assert_non_null(schema_index_find(&index_, "s", "{\"type\":\"long\"}"));
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2,\"magic\":1}", NULL));
    assert_null(schema_index_version(schema_index_subject(&index_, "s"), 0));
    assert_string_equal(schema_index_text(&index_, 10), "\"int\"");
}

static void other_records_change_nothing(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"NOOP\",\"magic\":0}", NULL));
    assert_true(
        apply("{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0}", "{\"compatibilityLevel\":\"FULL\"}"));
    assert_false(apply("", NULL));
    assert_false(apply("{}", "{}"));
    assert_false(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":0}", "{}"));
    assert_false(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":5}",
                       "{\"id\":99999999999,\"schema\":\"\"}"));
    assert_false(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":5}", "[]"));
    assert_int_equal(schema_index_subject(&index_, "s")->count, 2);
}

static void an_id_never_changes_its_meaning(void **state)
{
    (void)state;
    assert_true(
        apply("{\"keytype\":\"SCHEMA\",\"subject\":\"t\",\"version\":1,\"magic\":1}",
              "{\"subject\":\"t\",\"version\":1,\"id\":10,\"schema\":\"\\\"bytes\\\"\",\"deleted\":false}"));
    assert_string_equal(schema_index_text(&index_, 10), "\"int\"");
}

static void white_space_goes_except_in_strings(void **state)
{
    (void)state;
    struct bytes out CLEANUP(bytes_clear) = {0};
    schema_index_minify(&out, slice_of(" {\n\t\"a b\" : \"c \\\" d\\\\\" , \"e\" : 1 } "));
    assert_string_equal(bytes_text(&out), "{\"a b\":\"c \\\" d\\\\\",\"e\":1}");
}

static void ids_come_from_the_content(void **state)
{
    (void)state;
    // The output of printf '"string"' | sha256sum begins with e9e5c1c9; the id is its top 30 bits, plus 1.
    assert_int_equal(schema_index_content_id("\"string\""), (0xe9e5c1c9U >> 2) + 1);
    assert_int_not_equal(schema_index_content_id("\"string\""), schema_index_content_id("\"bytes\""));
    assert_int_equal(schema_index_next_id(5), 6);
    assert_int_equal(schema_index_next_id(1 << 30), 1);
}

static void a_batch_fits_the_index_and_itself(void **state)
{
    (void)state;
    struct schema_batch batch = {0};
    schema_batch_add(&batch, &index_, "s", "\"string\"");
    schema_batch_add(&batch, &index_, "s", "\"string\"");
    schema_batch_add(&batch, &index_, "s", "\"bytes\"");
    schema_batch_add(&batch, &index_, "new", "\"int\"");
    assert_int_equal(batch.count, 3);
    size_t count = batch.count;
    struct schema_record *records = schema_batch_take(&batch);
    assert_string_equal(bytes_text(&records[0].key),
                        "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":3,\"magic\":1}");
    assert_string_equal(bytes_text(&records[2].value), "{\"subject\":\"new\",\"version\":1,\"id\":10,"
                                                       "\"schema\":\"\\\"int\\\"\",\"deleted\":false}");
    for (size_t i = 0; i < count; i++) {
        assert_true(
            schema_index_apply(&index_, bytes_slice(&records[i].key), bytes_slice(&records[i].value)));
        bytes_clear(&records[i].key);
        bytes_clear(&records[i].value);
    }
    free(records);
    assert_int_equal(schema_index_find(&index_, "s", "\"bytes\"")->version, 4);
}

static void a_taken_id_is_passed_over(void **state)
{
    (void)state;
    int32_t id = schema_index_content_id("\"string\"");
    char *value CLEANUP(memory_free_pointer) =
        memory_format("{\"subject\":\"x\",\"version\":1,\"id\":%d,\"schema\":\"\\\"null\\\"\"}", id);
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"x\",\"version\":1}", value));
    struct schema_batch batch = {0};
    schema_batch_add(&batch, &index_, "s", "\"string\"");
    assert_int_equal(batch.entries[0].id, id + 1);
    struct schema_record *records = schema_batch_take(&batch);
    bytes_clear(&records[0].key);
    bytes_clear(&records[0].value);
    free(records);
}

static void check_answer(registry_answer answer, struct registry_query query, int status, const char *body)
{
    struct bytes out CLEANUP(bytes_clear) = {0};
    assert_int_equal(answer(&out, &index_, &query), status);
    assert_string_equal(bytes_text(&out), body);
}

static void answers_are_confluents(void **state)
{
    (void)state;
    struct registry_query query = {"s", "latest", "10", "", "\"int\""};
    check_answer(registry_answer_subjects, query, 200, "[\"s\"]");
    check_answer(registry_answer_versions, query, 200, "[1,2]");
    check_answer(registry_answer_version, query, 200,
                 "{\"subject\":\"s\",\"version\":2,\"id\":11,\"schema\":\"{\\\"type\\\":\\\"long\\\"}\"}");
    check_answer(registry_answer_version_schema, query, 200, "{\"type\":\"long\"}");
    check_answer(registry_answer_find, query, 200,
                 "{\"subject\":\"s\",\"version\":1,\"id\":10,\"schema\":\"\\\"int\\\"\"}");
    check_answer(registry_answer_id, query, 200, "{\"schema\":\"\\\"int\\\"\"}");
    check_answer(registry_answer_id_subjects, query, 200, "[\"s\"]");
    check_answer(registry_answer_id_versions, query, 200, "[{\"subject\":\"s\",\"version\":1}]");
    query = (struct registry_query){"none", "7", "99", "x", "\"null\""};
    check_answer(registry_answer_subjects, query, 200, "[]");
    check_answer(registry_answer_versions, query, 404,
                 "{\"error_code\":40401,\"message\":\"Subject 'none' not found.\"}");
    check_answer(registry_answer_id, query, 404,
                 "{\"error_code\":40403,\"message\":\"Schema 99 not found\"}");
    query.subject = "s";
    check_answer(registry_answer_version, query, 404,
                 "{\"error_code\":40402,\"message\":\"Version 7 not found.\"}");
    check_answer(registry_answer_find, query, 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
    query.version = "x";
    check_answer(
        registry_answer_version, query, 422,
        "{\"error_code\":42202,\"message\":\"The specified version 'x' is not a valid version id.\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(schemas_are_found_by_id_text_and_subject, fill, clear),
        cmocka_unit_test_setup_teardown(
            a_schema_that_says_the_same_is_found_whatever_the_order_of_its_attributes, fill, clear),
        cmocka_unit_test_setup_teardown(deleted_versions_are_gone_and_their_ids_stay, fill, clear),
        cmocka_unit_test_setup_teardown(other_records_change_nothing, fill, clear),
        cmocka_unit_test_setup_teardown(an_id_never_changes_its_meaning, fill, clear),
        cmocka_unit_test_setup_teardown(white_space_goes_except_in_strings, fill, clear),
        cmocka_unit_test_setup_teardown(ids_come_from_the_content, fill, clear),
        cmocka_unit_test_setup_teardown(a_batch_fits_the_index_and_itself, fill, clear),
        cmocka_unit_test_setup_teardown(a_taken_id_is_passed_over, fill, clear),
        cmocka_unit_test_setup_teardown(answers_are_confluents, fill, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
