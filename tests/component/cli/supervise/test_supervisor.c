// The supervisor with real child processes: this program itself, whose behaviour depends on the child's name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/supervise/child.h"
#include "cli/supervise/supervisor.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#define LIMIT_US (60 * CLOCK_US_PER_S)

/** A report, as a child sends it. */
static void send_report(int count)
{
    struct child_report report = {.is_ready = true};
    struct bytes frame = {0};
    bytes_format(&report.metrics, "# HELP c_total C\n# TYPE c_total counter\nc_total %d\n", count);
    bytes_append_string(&report.status, "{\"name\":\"x\"}");
    child_report_write(&report, &frame);
    if (write(3, frame.data, frame.size) != (ssize_t)frame.size) {
        _exit(1);
    }
    child_report_clear(&report);
    bytes_clear(&frame);
}

/** What `connect -c DIR --child-fd 3 --number 1 NAME` does. */
static int child_main(const char *name)
{
    send_report(5);
    if (strcmp(name, "wrong") == 0) {
        return 78;
    }
    if (strcmp(name, "hangs") == 0) {
        (void)raise(SIGSTOP);
    }
    for (;;) {
        (void)usleep(20000);
        send_report(5);
    }
}

/** The state of the only child. */
struct seen {
    char state[32];
    char detail[256];
    char metrics[512];
    bool is_alive;
    bool is_reporting;
    uint64_t restarts;
};

static uv_loop_t loop;
static struct supervisor *supervisor;
static bool is_ended;

static void on_end(void *self)
{
    (void)self;
    is_ended = true;
}

static void on_part(void *context, const struct health_part *part)
{
    struct seen *seen = context;
    (void)snprintf(seen->state, sizeof(seen->state), "%s", part->state);
    (void)snprintf(seen->detail, sizeof(seen->detail), "%s", part->detail);
    (void)snprintf(seen->metrics, sizeof(seen->metrics), "%.*s", (int)part->metrics.size,
                   (const char *)part->metrics.data);
    seen->is_alive = part->is_alive;
    seen->is_reporting = part->is_reporting;
    seen->restarts = part->restarts;
}

static struct seen look(void)
{
    struct seen seen = {0};
    supervisor_each(supervisor, on_part, &seen);
    return seen;
}

/** Turns the loop until the condition holds, and fails after a minute. */
#define UNTIL(condition)                                                                                     \
    do {                                                                                                     \
        int64_t limit_us = clock_now_us() + LIMIT_US;                                                        \
        while (!(condition)) {                                                                               \
            assert_true(clock_now_us() < limit_us);                                                          \
            (void)uv_run(&loop, UV_RUN_ONCE);                                                                \
        }                                                                                                    \
    } while (0)

static void start(const char *name, int64_t silence_us, int64_t hang_us)
{
    const struct supervisor_params params = {
        .loop = &loop, .dir = ".", .silence_us = silence_us, .hang_us = hang_us, .on_end = on_end};
    const struct desired_child desired = {.kind = "connector", .name = name, .number = 1, .config_hash = 1};
    is_ended = false;
    supervisor = supervisor_start(&params);
    supervisor_apply(supervisor, &desired, 1);
}

static int stop(void **state)
{
    (void)state;
    supervisor_free(supervisor);
    return uv_run(&loop, UV_RUN_DEFAULT);
}

static void a_child_whose_loop_stands_still_is_killed_and_started_again(void **state)
{
    (void)state;
    start("hangs", CLOCK_US_PER_S, 2 * CLOCK_US_PER_S);
    UNTIL(look().is_reporting);
    UNTIL(!look().is_alive);
    assert_non_null(strstr(look().detail, "has not reported for"));
    UNTIL(strcmp(look().state, "backing_off") ==
          0);  // SIGABRT stays pending while it is stopped: SIGKILL follows
    assert_non_null(strstr(look().detail, "its event loop did not turn"));
    UNTIL(look().restarts == 1);
}

static void a_supervisor_that_was_stopped_itself_blames_no_child(void **state)
{
    (void)state;
    start("good", CLOCK_US_PER_S, 2 * CLOCK_US_PER_S);
    UNTIL(look().is_reporting);
    (void)sleep(4);  // like a SIGSTOP of all processes: longer than the limit, without reading reports
    UNTIL(look().is_alive);
    for (int i = 0; i < 30; i++) {
        (void)uv_run(&loop, UV_RUN_ONCE);
        assert_string_equal(look().state, "running");
    }
}

static void what_ended_with_78_keeps_its_series_and_its_reason(void **state)
{
    (void)state;
    start("wrong", 0, 0);
    UNTIL(strcmp(look().state, "failed") == 0);
    assert_string_equal(look().detail, "ended with exit code 78");
    assert_non_null(strstr(look().metrics, "c_total 5\n"));
    assert_false(look().is_reporting);
}

static void a_rejected_file_neither_stops_nor_starts_its_child(void **state)
{
    (void)state;
    start("good", 0, 0);
    UNTIL(look().is_reporting);
    const struct desired_child kept[] = {
        {.kind = "connector", .name = "good", .number = 1, .is_kept = true},
        {.kind = "connector", .name = "other", .number = 1, .is_kept = true}};
    supervisor_apply(supervisor, kept, 2);
    assert_string_equal(look().state, "running");
    supervisor_apply(supervisor, NULL, 0);
    assert_string_equal(look().state, "draining");
    supervisor_drain(supervisor);
    UNTIL(is_ended);
}

static void a_child_is_restarted_for_a_variable_that_it_lacks_not_for_one_that_it_has(void **state)
{
    (void)state;
    char *names[] = {"HOME", "PATH"};
    struct desired_child desired = {.kind = "connector", .name = "good", .number = 1, .config_hash = 1};
    start("good", 0, 0);
    UNTIL(look().is_reporting);
    desired.variables = (struct text_list){names, 1};
    supervisor_apply(supervisor, &desired, 1);
    assert_string_equal(look().state, "draining");
    UNTIL(strcmp(look().state, "running") == 0);
    supervisor_apply(supervisor, &desired, 1);
    assert_string_equal(look().state, "running");
    desired.variables.count = 0;
    supervisor_apply(supervisor, &desired, 1);
    assert_string_equal(look().state, "running");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "connect") == 0) {
        return child_main(argv[argc - 1]);
    }
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    (void)uv_loop_init(&loop);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_child_whose_loop_stands_still_is_killed_and_started_again, stop),
        cmocka_unit_test_teardown(a_supervisor_that_was_stopped_itself_blames_no_child, stop),
        cmocka_unit_test_teardown(what_ended_with_78_keeps_its_series_and_its_reason, stop),
        cmocka_unit_test_teardown(a_rejected_file_neither_stops_nor_starts_its_child, stop),
        cmocka_unit_test_teardown(a_child_is_restarted_for_a_variable_that_it_lacks_not_for_one_that_it_has,
                                  stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
