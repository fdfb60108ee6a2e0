#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"

static char line[4096];

/** Runs the statement with stderr going into `line`. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_line_has_its_fields_in_order_and_values_as_keys),
        cmocka_unit_test(a_text_line_stays_one_line_and_quotes_what_is_ambiguous),
        cmocka_unit_test(a_line_below_the_level_is_not_written),
        cmocka_unit_test(a_message_longer_than_the_first_buffer_is_whole),
    };
    return cmocka_run_group_tests(tests, stop_clock, start_clock);
}
