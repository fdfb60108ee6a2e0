#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/connector_state.h"

static struct source_state read_text(const char *text)
{
    struct fault f = {0};
    struct source_state state;
    if (!connector_state_read(slice_of(text), &state, &f)) {
        fail_msg("%s", f.text);
    }
    return state;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct source_state written = {.is_known = true,
                                   .is_snapshot_done = true,
                                   .slot = "millrace_shop",
                                   .system_identifier = "7000000000000000001",
                                   .timeline = 3,
                                   .position = UINT64_C(0x16B374D848),
                                   .unread = {16400, UINT32_MAX},
                                   .unread_count = 2};
    CLEANUP(bytes_clear) struct bytes text = {0};
    connector_state_write(&text, &written);
    assert_string_equal(bytes_text(&text),
                        "{\"slot\":\"millrace_shop\",\"system_identifier\":\"7000000000000000001\","
                        "\"timeline\":3,\"snapshot\":\"done\",\"position\":\"16/B374D848\","
                        "\"unread\":[16400,4294967295]}");
    struct source_state found = read_text(bytes_text(&text));
    assert_memory_equal(&found, &written, sizeof(found));
}

static void a_record_of_an_older_version_has_no_position(void **state)
{
    (void)state;
    struct source_state found = read_text(
        "{\"slot\":\"millrace_shop\",\"system_identifier\":\"7\",\"timeline\":1,\"snapshot\":\"running\"}");
    assert_true(found.is_known);
    assert_false(found.is_snapshot_done);
    assert_int_equal(found.position, 0);
    assert_int_equal(found.unread_count, 0);
}

static void no_record_is_a_state_that_is_not_known(void **state)
{
    (void)state;
    struct fault f = {0};
    struct source_state found = {.is_known = true};
    assert_true(connector_state_read(slice_make(NULL, 0), &found, &f));
    assert_false(found.is_known);
}

static void what_is_not_such_a_record_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{\"slot\":\"s\"}",
        "{\"slot\":\"s\",\"system_identifier\":\"7\",\"timeline\":1,\"snapshot\":\"done\",\"position\":7}",
        "{\"slot\":\"s\",\"system_identifier\":\"7\",\"timeline\":1,\"snapshot\":\"done\",\"position\":"
        "\"1\"}",
        "{\"slot\":\"s\",\"system_identifier\":\"7\",\"timeline\":1,\"snapshot\":\"done\",\"position\":\"1/2 "
        "\"}",
        "{\"slot\":\"s\",\"system_identifier\":\"7\",\"timeline\":1,\"snapshot\":\"done\",\"unread\":[\"a\"]"
        "}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct fault f = {0};
        struct source_state found;
        assert_false(connector_state_read(slice_of(texts[i]), &found, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_record_of_an_older_version_has_no_position),
        cmocka_unit_test(no_record_is_a_state_that_is_not_known),
        cmocka_unit_test(what_is_not_such_a_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
