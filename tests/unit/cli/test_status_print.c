#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/status.h"

static void each_entry_is_a_line_and_a_missing_number_a_dash(void **state)
{
    (void)state;
    struct bytes out = {0};
    struct fault f;
    assert_true(
        status_print(slice_of("{\"connectors\":[{\"name\":\"shop\",\"state\":\"streaming\",\"detail\":\"ok\","
                              "\"slot_lag_bytes\":12,\"lag_seconds\":0.25}],\"functions\":[]}"),
                     &out, &f));
    assert_string_equal(
        bytes_text(&out),
        "CONNECTOR  STATE                 LAG BYTES    LAG SECONDS      IN FLIGHT           DEAD  DETAIL\n"
        "shop       streaming                    12          0.250              -              -  ok\n"
        "\n"
        "FUNCTION   STATE               LAG RECORDS      IN FLIGHT           DEAD  DETAIL\n"
        "(none)\n");
    bytes_clear(&out);
}

static void the_error_that_lasts_stands_before_the_detail_and_no_byte_of_it_moves_the_cursor(void **state)
{
    (void)state;
    struct bytes out = {0};
    struct fault f;
    assert_true(
        status_print(slice_of("{\"connectors\":[{\"name\":\"shop\",\"state\":\"streaming\",\"detail\":\"ok\","
                              "\"last_error\":\"\\u001b[2Jno \\u009bbroker\\n\",\"error_seconds\":12,"
                              "\"since\":\"2026-01-31T12:00:00.000Z\"}],\"functions\":[]}"),
                     &out, &f));
    assert_non_null(strstr(bytes_text(&out), "  ?[2Jno ?broker? (since 2026-01-31T12:00:00.000Z)\n"));
    bytes_clear(&out);
}

static void parked_keys_are_in_the_detail(void **state)
{
    (void)state;
    struct bytes out = {0};
    struct fault f;
    assert_true(status_print(
        slice_of("{\"connectors\":[],\"functions\":[{\"name\":\"a\",\"state\":\"running\","
                 "\"detail\":\"assigned\",\"parked_keys\":2},{\"name\":\"b\",\"state\":\"running\","
                 "\"detail\":\"assigned\",\"parked_keys\":1}]}"),
        &out, &f));
    assert_non_null(strstr(bytes_text(&out), "  assigned; 2 parked keys wait for `millrace dlq`\n"));
    assert_non_null(strstr(bytes_text(&out), "  assigned; 1 parked key waits for `millrace dlq`\n"));
    bytes_clear(&out);
}

static void rejected_files_stand_below_with_each_complaint(void **state)
{
    (void)state;
    struct bytes out = {0};
    struct fault f;
    assert_true(status_print(slice_of("{\"connectors\":[],\"functions\":[],\"rejected\":[{\"name\":\"a\","
                                      "\"error\":\"a.yaml:1:1: error: x\\na.yaml:2:1: error: y\\n\"}]}"),
                             &out, &f));
    assert_non_null(
        strstr(bytes_text(&out), "(none)\n\nREJECTED FILES\na.yaml:1:1: error: x\na.yaml:2:1: error: y\n"));
    bytes_clear(&out);
}

static void another_servers_answer_is_refused(void **state)
{
    (void)state;
    static const char *const answers[] = {"", "<html>", "[]", "{}", "{\"connectors\":{},\"functions\":[]}"};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct bytes out = {0};
        struct fault f;
        assert_false(status_print(slice_of(answers[i]), &out, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        bytes_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entry_is_a_line_and_a_missing_number_a_dash),
        cmocka_unit_test(the_error_that_lasts_stands_before_the_detail_and_no_byte_of_it_moves_the_cursor),
        cmocka_unit_test(parked_keys_are_in_the_detail),
        cmocka_unit_test(rejected_files_stand_below_with_each_complaint),
        cmocka_unit_test(another_servers_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
