#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"

static char line[4096];

/** Runs the statement with stderr redirected into `line`. */
#define CAPTURE(statement)                                                                                   \
    do {                                                                                                     \
        int ends[2];                                                                                         \
        assert_int_equal(pipe(ends), 0);                                                                     \
        int saved = dup(STDERR_FILENO);                                                                      \
        dup2(ends[1], STDERR_FILENO);                                                                        \
        close(ends[1]);                                                                                      \
        statement;                                                                                           \
        dup2(saved, STDERR_FILENO);                                                                          \
        close(saved);                                                                                        \
        ssize_t size = read(ends[0], line, sizeof(line) - 1);                                                \
        line[size < 0 ? 0 : size] = '\0';                                                                    \
        close(ends[0]);                                                                                      \
    } while (0)

static struct {
    int count;
    char event[32];
    char message[32];
} heard;

static void on_message(void *self, const char *event, const char *message)
{
    assert_ptr_equal(self, &heard);
    heard.count++;
    snprintf(heard.event, sizeof heard.event, "%s", event);
    snprintf(heard.message, sizeof heard.message, "%s", message);
}

static void a_listener_hears_its_events_whatever_their_level(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    log_listen("process_", on_message, &heard);
    log_debug("function/f", "process_output", NULL, "line %d", 7);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.event, "process_output");
    assert_string_equal(heard.message, "line 7");
    log_debug("function/f", "processes", NULL, "another");
    assert_int_equal(heard.count, 1);
    CAPTURE(log_error("function/f", "process_ended", NULL, "it ended"));
    assert_int_equal(heard.count, 2);
    assert_non_null(strstr(line, "process_ended function/f: it ended\n"));
    log_listen(NULL, NULL, NULL);
    log_debug("function/f", "process_output", NULL, "no more");
    assert_int_equal(heard.count, 2);
}

static int stop_clock(void **state)
{
    (void)state;
    clock_fake(0, INT64_C(1700000000123456));
    return 0;
}

static int start_clock(void **state)
{
    (void)state;
    clock_fake(-1, 0);
    return 0;
}

static void a_json_line_has_its_fields_in_order_and_values_as_keys(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    CAPTURE(log_info("connector/shop", "slot_created",
                     LOG_WITH(LOG_TEXT("slot", "a\"b"), LOG_NUMBER("lsn", -7)), "made slot %d", 1));
    assert_string_equal(
        line, "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"event\":\"slot_created\","
              "\"component\":\"connector/shop\",\"message\":\"made slot 1\",\"slot\":\"a\\\"b\","
              "\"lsn\":-7}\n");
}

static void a_text_line_stays_one_line_and_quotes_what_is_ambiguous(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    CAPTURE(
        log_warn("kafka", "kafka_log", LOG_WITH(LOG_TEXT("a", "plain"), LOG_TEXT("b", "two words")), "x\ny"));
    assert_string_equal(line,
                        "2023-11-14T22:13:20.123Z warn  kafka_log kafka: x y a=plain b=\"two words\"\n");
}

static void a_line_below_the_level_is_not_written(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_WARN);
    CAPTURE(log_info("a", "b", NULL, "c"); log_error("a", "b", NULL, "d"));
    assert_string_equal(line, "2023-11-14T22:13:20.123Z error b a: d\n");
}

static void a_message_longer_than_the_first_buffer_is_whole(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    CAPTURE(log_info("a", "b", NULL, "%s|", text));
    assert_int_equal(strlen(line), strlen("2023-11-14T22:13:20.123Z info  b a: |\n") + 1000);
    assert_non_null(strstr(line, "x|\n"));
}

/** Counts the lines of the text; checks that each is complete. */
static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text = strchr(text, '\n') + 1) {
        assert_non_null(strchr(text, '\n'));
        assert_memory_equal(text, "20", 2);
        count++;
    }
    return count;
}

static void a_reader_that_stands_still_blocks_nothing_and_what_was_dropped_is_counted(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    static char
        message[10000];  // longer than what a pipe takes at once: it has a line in part when it is full
    memset(message, 'm', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    for (int i = 0; i < 100; i++) {  // the pipe takes 64 KiB, the log buffers 256 KiB
        log_info("a", "event", NULL, "%s", message);
    }
    static char all[600 * 1024];
    size_t size = 0;
    for (int i = 0; i < 20; i++) {
        struct pollfd in = {.fd = ends[0], .events = POLLIN};
        while (poll(&in, 1, 0) > 0) {
            size += (size_t)read(ends[0], all + size, sizeof(all) - 1 - size);
        }
        log_flush();
    }
    struct pollfd in = {.fd = ends[0], .events = POLLIN};
    while (poll(&in, 1, 0) > 0) {
        size += (size_t)read(ends[0], all + size, sizeof(all) - 1 - size);
    }
    all[size] = '\0';
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    const char *told = strstr(all, "dropped=");
    assert_non_null(told);
    assert_int_equal(count_lines(all) - 1 + strtoul(told + strlen("dropped="), NULL, 10), 100);
}

static void a_failure_that_repeats_is_cut_short_and_counted(void **state)
{
    (void)state;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    static char all[64 * 1024];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    clock_fake(0, INT64_C(1700000000123456));
    for (int i = 0; i < 1000; i++) {
        log_warn("function/a", "repeated", NULL, "no");
    }
    log_warn("function/b", "repeated", NULL, "another component");
    for (int i = 0; i < 5; i++) {
        log_info("function/a", "ordinary", NULL, "never cut short");
    }
    for (int i = 0; i < 300; i++) {
        if (log_may_repeat("function/a", "per_event")) {
            log_info("function/a", "per_event", NULL, "no");
        }
    }
    clock_fake(11 * CLOCK_US_PER_S, INT64_C(1700000011123456));
    log_flush();
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t size = read(ends[0], all, sizeof(all) - 1);
    close(ends[0]);
    all[size < 0 ? 0 : size] = '\0';
    assert_int_equal(count_lines(all), 200 + 1 + 5 + 1 + 200 + 1);
    assert_non_null(
        strstr(all, "repeated function/a: 800 more lines with this event in 10 s suppressed=800\n"));
    assert_non_null(
        strstr(all, "per_event function/a: 100 more lines with this event in 10 s suppressed=100\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_line_has_its_fields_in_order_and_values_as_keys),
        cmocka_unit_test(a_text_line_stays_one_line_and_quotes_what_is_ambiguous),
        cmocka_unit_test(a_line_below_the_level_is_not_written),
        cmocka_unit_test(a_message_longer_than_the_first_buffer_is_whole),
        cmocka_unit_test(a_listener_hears_its_events_whatever_their_level),
        cmocka_unit_test_setup_teardown(
            a_reader_that_stands_still_blocks_nothing_and_what_was_dropped_is_counted, stop_clock,
            start_clock),
        cmocka_unit_test_setup_teardown(a_failure_that_repeats_is_cut_short_and_counted, stop_clock,
                                        start_clock),
    };
    return cmocka_run_group_tests(tests, stop_clock, start_clock);
}
