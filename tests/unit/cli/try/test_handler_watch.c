// What becomes of a handler's answers as the bridge tells of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/try/handler_watch.h"
#include "core/base/clock.h"
#include "core/base/log.h"

static struct bytes seen;  // a line for each callback
static struct handler_watch *watch;

static void on_call(void *self, const struct try_ledger_call *call)
{
    (void)self;
    bytes_format(&seen, "%s %s %c %s %lld %d: %s", call->is_failed ? "failed" : "done", call->id, call->op,
                 call->table, (long long)call->row_id, call->status, call->details);
}

static void on_retry(void *self, const struct try_ledger_event *event)
{
    (void)self;
    assert_true(event->is_retried);
    bytes_format(&seen, "again %s %c %s %lld %s[%d]@%lld: %s", event->id, event->op, event->table,
                 (long long)event->row_id, event->topic, (int)event->partition, (long long)event->offset,
                 event->details);
}

static void on_hopeless(void *self, const struct fault *f, const char *details)
{
    (void)self;
    assert_string_equal(f->origin, HANDLER_WATCH_HOPELESS);
    bytes_format(&seen, "hopeless: %s\n%s", f->text, details);
}

static int set_up(void **state)
{
    (void)state;
    clock_fake(100, 100);
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    bytes_reset(&seen);
    watch = handler_watch_new(
        &(struct handler_watch_params){.on_call = on_call, .on_retry = on_retry, .on_hopeless = on_hopeless});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    handler_watch_free(watch);
    bytes_clear(&seen);
    clock_fake(-1, 0);
    return 0;
}

static struct observed_event event_of(enum observed_end end)
{
    return (struct observed_event){.id = slice_of("id-7"),
                                   .topic = "try.public.orders",
                                   .partition = 2,
                                   .offset = 9,
                                   .op = 'u',
                                   .key = slice_of("{\"id\":12}"),
                                   .end = end,
                                   .attempts = 1,
                                   .is_attempt = true,
                                   .status = 200,
                                   .result = slice_of("{\"ok\": true}"),
                                   .error = end == OBSERVED_DELIVERED ? NULL : "it failed"};
}

static void tell(const struct observed_event *event)
{
    const struct call_observer *observer = handler_watch_observer(watch);
    observer->on_event(observer->self, event);
}

static void tell_end(enum observed_end end)
{
    const struct observed_event event = event_of(end);
    tell(&event);
}

static void write_output(const char *line)
{
    log_info("function/try-1", "process_output", NULL, "%s", line);
}

static void assert_seen(const char *text)
{
    assert_string_equal(bytes_text(&seen), text);
    bytes_reset(&seen);
}

static void an_answer_is_shown_with_its_change_and_without_output(void **state)
{
    (void)state;
    write_output("hello");
    tell_end(OBSERVED_DELIVERED);
    assert_seen("done id-7 u orders 12 200: {\"ok\": true}\n");
}

static void a_failure_is_shown_with_the_output_of_that_call(void **state)
{
    (void)state;
    write_output("of the first call");
    tell_end(OBSERVED_DELIVERED);
    bytes_reset(&seen);
    write_output("of the second");
    log_info("function/try-1", "invocation_retried", NULL, "another event of the log");
    tell_end(OBSERVED_RETRIED);
    assert_seen("again id-7 u orders 12 try.public.orders[2]@9: it failed (attempt 1)\n| of the second\n");
    write_output("of the third");
    tell_end(OBSERVED_FAILED);
    assert_seen("failed id-7 u orders 12 200: it failed (attempt 1)\n| of the third\n");
}

static void of_much_output_the_last_lines_are_shown(void **state)
{
    (void)state;
    for (int i = 1; i <= 25; i++) {
        log_info("function/try-1", "process_output", NULL, "line %d", i);
    }
    tell_end(OBSERVED_FAILED);
    const char *text = bytes_text(&seen);
    assert_non_null(strstr(text, "(attempt 1)\n| … (5 lines more)\n| line 6\n"));
    assert_non_null(strstr(text, "| line 25\n"));
}

static void a_process_that_does_not_start_ends_it_with_what_that_process_wrote(void **state)
{
    (void)state;
    log_info("function/try-1", "process_started", NULL, "started");
    write_output("first start");
    log_info("function/try-1", "process_started", NULL, "started");
    write_output("second start");
    struct observed_event event = event_of(OBSERVED_RETRIED);
    event.status = 0;
    event.attempts = 0;
    event.is_attempt = false;
    event.error = "exited with code 1";
    tell(&event);
    assert_seen("hopeless: the handler's process does not start: exited with code 1\n| second start\n");
}

static void eight_failed_calls_in_a_row_end_it(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        tell_end(OBSERVED_RETRIED);
    }
    tell_end(OBSERVED_DELIVERED);
    for (int i = 0; i < 7; i++) {
        tell_end(OBSERVED_FAILED);
    }
    assert_null(strstr(bytes_text(&seen), "hopeless"));
    tell_end(OBSERVED_FAILED);
    assert_non_null(strstr(bytes_text(&seen), "hopeless: the handler failed in 8 calls in a row\n"));
}

static void half_a_minute_without_success_ends_it(void **state)
{
    (void)state;
    tell_end(OBSERVED_RETRIED);
    clock_fake(99 + 30 * CLOCK_US_PER_S, 100);
    tell_end(OBSERVED_RETRIED);
    assert_null(strstr(bytes_text(&seen), "hopeless"));
    clock_fake(100 + 30 * CLOCK_US_PER_S, 100);
    tell_end(OBSERVED_RETRIED);
    assert_non_null(strstr(bytes_text(&seen), "hopeless: the handler failed in 3 calls in a row\n"));
}

static void an_answer_can_not_drive_the_terminal(void **state)
{
    (void)state;
    struct observed_event event = event_of(OBSERVED_DELIVERED);
    event.result = slice_of("a\033[31m\r\n\xc2\x9b"
                            "b\xc3\xa9\x7f");
    event.is_cut = true;
    tell(&event);
    assert_seen("done id-7 u orders 12 200: a [31m   b\xc3\xa9 …\n");
    event.result = slice_make("\xff\0x", 3);
    event.is_cut = false;
    tell(&event);
    assert_seen("done id-7 u orders 12 200:   x\n");
    event.result = slice_of("");
    tell(&event);
    assert_seen("done id-7 u orders 12 200: (an empty result)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_is_shown_with_its_change_and_without_output, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_shown_with_the_output_of_that_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_much_output_the_last_lines_are_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_does_not_start_ends_it_with_what_that_process_wrote,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(eight_failed_calls_in_a_row_end_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_minute_without_success_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_can_not_drive_the_terminal, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
