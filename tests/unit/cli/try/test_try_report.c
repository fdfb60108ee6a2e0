#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "cli/try/try_report.h"

static char *lsn_of(const char *event_id)
{
    struct bytes out = {0};
    try_report_lsn(&out, event_id);
    char *text = slice_to_string(bytes_slice(&out));
    bytes_clear(&out);
    return text;
}

static void an_event_id_shows_its_lsn_as_postgresql_writes_it(void **state)
{
    (void)state;
    char *text = lsn_of("0000001a000000ff-00000002");
    assert_string_equal(text, "1A/FF");
    free(text);
}

static void another_producers_id_is_shown_as_it_is(void **state)
{
    (void)state;
    static const char *const others[] = {"", "orders-0-17", "0000001a000000ff", "0000001a000000f-00000002"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char *text = lsn_of(others[i]);
        assert_string_equal(text, others[i]);
        free(text);
    }
}

static void json_is_one_line_with_the_six_numbers(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    try_report_json(
        out, &(struct try_ledger_counts){
                 .changes = 20, .published = 20, .invoked = 19, .failed = 1, .p50_us = 2500, .p99_us = 7031});
    fclose(out);
    assert_string_equal(text, "{\"changes\":20,\"published\":20,\"invoked\":19,\"failed\":1,"
                              "\"p50_ms\":2.500,\"p99_ms\":7.031}\n");
    free(text);
}

static void a_line_has_no_colour_outside_a_terminal(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct try_report r;
    try_report_init(&r, out, false, "public");
    struct try_ledger_event event = {
        .id = "000000000153a1c8-00000000",
        .topic = "try.public.orders",
        .partition = 2,
        .offset = 7,
        .op = 'c',
        .table = "orders",
        .row_id = 12,
        .status = 200,
        .latency_us = 3141,
    };
    try_report_event(&r, &event);
    fclose(out);
    assert_null(memchr(text, '\033', size));
    assert_non_null(strstr(text, "0/153A1C8 insert    orders 12     try.public.orders [2] 7"));
    assert_non_null(strstr(text, "200        3.1\n"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 80);
    }
    free(text);
}

/** What is printed for one event. */
static char *line_of(const struct try_ledger_event *event)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct try_report r;
    try_report_init(&r, out, false, "public");
    try_report_event(&r, event);
    fclose(out);
    return text;
}

static void a_handlers_answer_stands_below_its_change(void **state)
{
    (void)state;
    struct try_ledger_event event = {
        .id = "000000000153a1c8-00000000",
        .topic = "try.public.orders",
        .op = 'u',
        .table = "orders",
        .row_id = 12,
        .status = 200,
        .latency_us = 3141,
        .details = "{\"ok\": true}\n",
    };
    char *text = line_of(&event);
    assert_non_null(strstr(text, " ok         3.1\n          {\"ok\": true}\n"));
    free(text);
    event.is_failed = true;
    event.details = "it failed\n| printed\n";
    text = line_of(&event);
    assert_non_null(strstr(text, " failed       -\n          it failed\n          | printed\n"));
    free(text);
    event.is_failed = false;
    event.is_retried = true;
    text = line_of(&event);
    assert_non_null(strstr(text, " again        -\n          it failed\n"));
    free(text);
}

static void what_to_type_next_runs_the_handler(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct try_report r;
    try_report_init(&r, out, false, "public");
    try_report_next(&r, "endpoint: {process: {command: [\"/it's\"]}}");
    fclose(out);
    assert_non_null(strstr(text, "  echo '{source: {topics: [shop.public.*]}, endpoint: {process: {command: "
                                 "[\"/it'\\''s\"]}}}' > millrace/functions/hello.yaml\n"));
    free(text);
}

static void what_was_interrupted_is_not_called_missing(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *err = open_memstream(&text, &size);
    const struct try_ledger_counts counts = {.changes = 20, .invoked = 7};
    try_report_interrupted(err, "interrupted by SIGINT", &counts);
    fclose(err);
    assert_string_equal(
        text, "millrace try: interrupted by SIGINT: of 20 changes 7 were delivered by then; the rest was "
              "not waited for\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_id_shows_its_lsn_as_postgresql_writes_it),
        cmocka_unit_test(another_producers_id_is_shown_as_it_is),
        cmocka_unit_test(json_is_one_line_with_the_six_numbers),
        cmocka_unit_test(what_was_interrupted_is_not_called_missing),
        cmocka_unit_test(a_handlers_answer_stands_below_its_change),
        cmocka_unit_test(what_to_type_next_runs_the_handler),
        cmocka_unit_test(a_line_has_no_colour_outside_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
