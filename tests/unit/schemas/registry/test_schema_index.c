#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "schemas/registry/schema_batch.h"
#include "schemas/registry/schema_identity.h"
#include "schemas/registry/schema_index.h"
#include "schemas/registry/schema_names.h"
#include "schemas/registry/schema_scope.h"

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

static const char *text_of(int32_t id)
{
    const struct schema_text *found = schema_index_any(&index_, id);
    return found != NULL ? found->text : NULL;
}

static const struct schema_version *find(const char *subject, const char *text)
{
    char *identity = schema_identity_make(&(struct schema_parts){.text = text});
    const struct schema_version *found = schema_index_find(&index_, subject, identity);
    free(identity);
    return found;
}

static const struct schema_version *newest(const char *subject, bool has_deleted)
{
    return schema_index_version(schema_index_subject(&index_, subject), 0, has_deleted);
}

static void schemas_are_found_by_id_text_and_subject(void **state)
{
    (void)state;
    assert_string_equal(text_of(11), "{\"type\":\"long\"}");
    assert_null(text_of(12));
    assert_int_equal(find("s", "\"int\"")->version, 1);
    assert_int_equal(find("s", "\"long\"")->version, 2);
    assert_null(find("t", "\"int\""));
    assert_int_equal(newest("s", false)->version, 2);
}

// The index of each process has one for each schema of the topic.
static void an_identity_is_short_whatever_the_schema_s_length(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes text = {0};
    bytes_append_string(&text, "{\"type\":\"string\",\"doc\":\"");
    for (int i = 0; i < 1000; i++) {
        bytes_append_byte(&text, 'x');
    }
    bytes_append_string(&text, "\"}");
    CLEANUP(memory_free_pointer)
    char *identity = schema_identity_make(&(struct schema_parts){.text = bytes_text(&text)});
    assert_int_equal(strlen(identity), 64);
}

static void a_schema_that_says_the_same_is_found_whatever_the_order_of_its_attributes(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"r\",\"version\":1,\"magic\":1}",
                      "{\"subject\":\"r\",\"version\":1,\"id\":12,\"schema\":\"{\\\"type\\\":\\\"fixed\\\","
                      "\\\"name\\\":\\\"n.f\\\",\\\"size\\\":4}\",\"deleted\":false}"));
    const char *other = "{ \"size\" : 4, \"name\":\"f\", \"type\":\"fi\\u0078ed\", \"namespace\":\"n\" }";
    assert_int_equal(find("r", other)->id, 12);
    assert_null(find("r", "{\"type\":\"fixed\",\"name\":\"n.f\",\"size\":5}"));
    assert_string_equal(text_of(12), "{\"type\":\"fixed\",\"name\":\"n.f\",\"size\":4}");
}

static void deleted_versions_are_gone_and_their_ids_stay(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}",
                      "{\"subject\":\"s\",\"version\":1}"));
    assert_null(find("s", "\"int\""));
    assert_non_null(find("s", "{\"type\":\"long\"}"));
    assert_string_equal(text_of(10), "\"int\"");
}

static void what_is_removed_for_good_is_unknown(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2,\"magic\":1}", NULL));
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":7,\"magic\":1}", NULL));
    assert_int_equal(newest("s", true)->version, 1);
    assert_null(text_of(11));
    assert_true(apply("{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}",
                      "{\"subject\":\"s\",\"version\":1}"));
    assert_true(
        apply("{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"s\",\"magic\":0}", "{\"subject\":\"s\"}"));
    assert_null(newest("s", true));
    assert_null(text_of(10));
}

static void an_id_counts_in_its_context(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\":.c:s\",\"version\":1,\"magic\":1}",
                      "{\"subject\":\":.c:s\",\"version\":1,\"id\":10,\"schema\":\"\\\"bytes\\\"\"}"));
    assert_string_equal(text_of(10), "\"int\"");
    const struct schema_context *context = schema_index_context(&index_, slice_of(".c"));
    assert_string_equal(schema_index_by_id(context, 10)->text, "\"bytes\"");
    assert_null(schema_index_by_id(context, 11));
}

static void subjects_have_one_shortest_name(void **state)
{
    (void)state;
    static const char *const NAMES[][3] = {
        {"s", "s", ""},
        {":.:s", "s", ""},
        {":.c:s", ":.c:s", ":.c:"},
        {":.c", ":.c:", ":.c:"},
        {":.c:a:b", ":.c:a:b", ":.c:"},
        {":x", ":x", ""},
        {"a:.b:c", "a:.b:c", ""},
    };
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        char *normal = schema_names_normal(NAMES[i][0]);
        char *context = schema_names_context_subject(NAMES[i][0]);
        assert_string_equal(normal, NAMES[i][1]);
        assert_string_equal(context, NAMES[i][2]);
        free(normal);
        free(context);
    }
    char *same = schema_names_qualify(":.c:s", "t");
    char *other = schema_names_qualify(":.c:s", ":.d:t");
    assert_string_equal(same, ":.c:t");
    assert_string_equal(other, ":.d:t");
    free(same);
    free(other);
}

static void settings_apply_from_the_narrowest_scope(void **state)
{
    (void)state;
    assert_int_equal(schema_scope_level(&index_, "s"), SCHEMA_LEVEL_NONE);
    assert_int_equal(schema_scope_mode(&index_, "s"), SCHEMA_MODE_READWRITE);
    assert_true(
        apply("{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0}", "{\"compatibilityLevel\":\"FULL\"}"));
    assert_true(apply("{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0}",
                      "{\"subject\":\"s\",\"normalize\":true}"));
    assert_int_equal(schema_scope_level(&index_, "s"), SCHEMA_LEVEL_FULL);
    assert_true(schema_scope_is_normal(&index_, "s"));
    assert_false(schema_scope_is_normal(&index_, "t"));
    assert_int_equal(schema_scope_level(&index_, ":.c:s"), SCHEMA_LEVEL_NONE);
    assert_true(apply("{\"keytype\":\"MODE\",\"magic\":0}", "{\"mode\":\"READONLY\"}"));
    assert_true(apply("{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0}", "{\"mode\":\"IMPORT\"}"));
    assert_int_equal(schema_scope_mode(&index_, "s"), SCHEMA_MODE_IMPORT);
    assert_int_equal(schema_scope_mode(&index_, "t"), SCHEMA_MODE_READONLY);
    assert_true(apply("{\"keytype\":\"MODE\",\"magic\":0}", "{\"mode\":\"READONLY_OVERRIDE\"}"));
    assert_int_equal(schema_scope_mode(&index_, "s"), SCHEMA_MODE_READONLY_OVERRIDE);
    assert_true(apply("{\"keytype\":\"MODE\",\"magic\":0}", NULL));
    assert_int_equal(schema_scope_mode(&index_, "t"), SCHEMA_MODE_READWRITE);
}

static void other_records_change_nothing(void **state)
{
    (void)state;
    assert_true(apply("{\"keytype\":\"NOOP\",\"magic\":0}", NULL));
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
    assert_string_equal(text_of(10), "\"int\"");
}

static void white_space_goes_except_in_strings(void **state)
{
    (void)state;
    struct bytes out CLEANUP(bytes_clear) = {0};
    schema_identity_minify(&out, slice_of(" {\n\t\"a b\" : \"c \\\" d\\\\\" , \"e\" : 1 } "));
    assert_string_equal(bytes_text(&out), "{\"a b\":\"c \\\" d\\\\\",\"e\":1}");
}

static void ids_come_from_the_content(void **state)
{
    (void)state;
    // The output of printf '"string"' | sha256sum begins with e9e5c1c9; the id is its top 30 bits, plus 1.
    assert_int_equal(schema_identity_content_id("\"string\""), (0xe9e5c1c9U >> 2) + 1);
    assert_int_not_equal(schema_identity_content_id("\"string\""), schema_identity_content_id("\"bytes\""));
    assert_int_equal(schema_identity_next_id(5), 6);
    assert_int_equal(schema_identity_next_id(1 << 30), 1);
}

static void a_taken_id_is_passed_over(void **state)
{
    (void)state;
    int32_t id = schema_identity_content_id("\"string\"");
    char *value CLEANUP(memory_free_pointer) =
        memory_format("{\"subject\":\"x\",\"version\":1,\"id\":%d,\"schema\":\"\\\"null\\\"\"}", id);
    assert_true(apply("{\"keytype\":\"SCHEMA\",\"subject\":\"x\",\"version\":1}", value));
    struct schema_batch batch = {0};
    assert_int_equal(schema_batch_choose_id(&batch, &index_, "s", "\"string\"", "one"), id + 1);
    assert_int_equal(schema_batch_choose_id(&batch, &index_, "s", "\"string\"", "two"), id + 2);
    assert_int_equal(schema_batch_choose_id(&batch, &index_, "t", "\"string\"", "one"), id + 1);
    assert_int_equal(schema_batch_choose_id(&batch, &index_, ":.c:s", "\"string\"", "one"), id);
    schema_batch_clear(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(schemas_are_found_by_id_text_and_subject, fill, clear),
        cmocka_unit_test_setup_teardown(
            a_schema_that_says_the_same_is_found_whatever_the_order_of_its_attributes, fill, clear),
        cmocka_unit_test_setup_teardown(deleted_versions_are_gone_and_their_ids_stay, fill, clear),
        cmocka_unit_test_setup_teardown(what_is_removed_for_good_is_unknown, fill, clear),
        cmocka_unit_test_setup_teardown(an_id_counts_in_its_context, fill, clear),
        cmocka_unit_test_setup_teardown(subjects_have_one_shortest_name, fill, clear),
        cmocka_unit_test_setup_teardown(settings_apply_from_the_narrowest_scope, fill, clear),
        cmocka_unit_test_setup_teardown(other_records_change_nothing, fill, clear),
        cmocka_unit_test_setup_teardown(an_id_never_changes_its_meaning, fill, clear),
        cmocka_unit_test_setup_teardown(white_space_goes_except_in_strings, fill, clear),
        cmocka_unit_test_setup_teardown(ids_come_from_the_content, fill, clear),
        cmocka_unit_test(an_identity_is_short_whatever_the_schema_s_length),
        cmocka_unit_test_setup_teardown(a_taken_id_is_passed_over, fill, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
