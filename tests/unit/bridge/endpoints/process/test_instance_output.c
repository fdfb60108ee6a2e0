// bridge/endpoints/process/instance_output: what is written to its pipe becomes lines of the log, however it
// comes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bridge/endpoints/process/instance_output.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/log_repeats.h"

enum { PID = 4711, PIPE_BYTES = 64 << 10, BIG_PIPE_BYTES = 1 << 20, MIB = 1 << 20, START_US = 1000000 };

static uv_loop_t loop;
static struct instance_output *output;
static uv_stdio_container_t out;
static int writer;  // the process's end
static int log_fd;
static int saved_stderr;
static char component[64];
static int closed;
static struct bytes logged;

static void on_closed(void *self)
{
    (void)self;
    closed++;
}

static void run_until_idle(void)
{
    while (uv_run(&loop, UV_RUN_NOWAIT) != 0) {
        int waiting = 0;
        (void)ioctl(writer, FIONREAD, &waiting);
        if (waiting == 0) {
            return;
        }
    }
}

/** What was logged since the last call, without the parts that each line has. */
static const char *take_log(void)
{
    bytes_reset(&logged);
    uint8_t block[4096];
    (void)lseek(log_fd, 0, SEEK_SET);
    for (ssize_t count; (count = read(log_fd, block, sizeof(block))) > 0;) {
        bytes_append(&logged, block, (size_t)count);
    }
    (void)ftruncate(log_fd, 0);
    (void)lseek(log_fd, 0, SEEK_SET);
    return bytes_text(&logged);
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        count++;
    }
    return count;
}

static void put_bytes(const void *data, size_t size)
{
    assert_int_equal(write(writer, data, size), size);
}

static void put(const char *text)
{
    put_bytes(text, strlen(text));
}

static void put_many(char byte, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_bytes(&byte, 1);
    }
}

/** The line of the log with this message, without a request. */
static void check_logged(const char *log, const char *message)
{
    CLEANUP(memory_free_pointer) char *want = memory_format("\"message\":\"%s\",\"pid\":%d}\n", message, PID);
    if (strstr(log, want) == NULL) {
        print_error("no %s in %s", want, log);
        fail();
    }
}

static void check_logged_for(const char *log, const char *message, const char *id)
{
    CLEANUP(memory_free_pointer)
    char *want = memory_format("\"message\":\"%s\",\"pid\":%d,\"request_id\":\"%s\"}\n", message, PID, id);
    if (strstr(log, want) == NULL) {
        print_error("no %s in %s", want, log);
        fail();
    }
}

static int setup(void **state)
{
    (void)state;
    static int number;
    (void)snprintf(component, sizeof(component), "function/f%d",
                   number++);  // each has its own limit of lines
    clock_fake(START_US, INT64_C(1700000000123456));
    log_start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    log_fd = memfd_create("log", MFD_CLOEXEC);
    saved_stderr = dup(STDERR_FILENO);
    (void)dup2(log_fd, STDERR_FILENO);
    assert_int_equal(uv_loop_init(&loop), 0);
    output = instance_output_new(&loop, component);
    struct fault f;
    uv_stdio_container_t err;
    assert_true(instance_output_prepare(output, &out, &err, &f));
    assert_int_equal(out.data.fd, err.data.fd);
    writer = fcntl(out.data.fd, F_DUPFD_CLOEXEC, 0);
    closed = 0;
    return 0;
}

static int setup_started(void **state)
{
    (void)setup(state);
    instance_output_start(output, PID);
    return 0;
}

/** cmocka's words about a failed test are in the log, too. */
static void show_failure(void)
{
    (void)take_log();
    (void)dup2(saved_stderr, STDERR_FILENO);
    char *rest = (char *)logged.data;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] != '{' && line[0] != '\0') {
            print_error("%s\n", line);
        }
    }
}

static int teardown(void **state)
{
    (void)state;
    show_failure();
    instance_output_close(output, on_closed, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(closed, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
    if (writer >= 0) {
        assert_int_equal(write(writer, "x", 1), -1);  // nothing reads
        assert_int_equal(errno, EPIPE);
        (void)close(writer);
    }
    (void)close(saved_stderr);
    (void)close(log_fd);
    bytes_clear(&logged);
    clock_fake(-1, 0);
    return 0;
}

static void each_line_is_an_event(void **state)
{
    (void)state;
    put("START\n\n\x1b[31mready\x1b[0m\r\n");
    run_until_idle();
    const char *log = take_log();
    assert_int_equal(count_of(log, "\n"), 2);
    assert_non_null(
        strstr(log, "\"level\":\"info\",\"event\":\"process_output\",\"component\":\"function/f"));
    check_logged(log, "START");
    check_logged(log, "ready");
}

static void a_line_has_the_request_that_ran_when_it_began(void **state)
{
    (void)state;
    put("before\n");
    instance_output_set_request(output, "r1");  // what is in the pipe is read first
    put("first\nhalf ");
    instance_output_set_request(output, "r2");
    put("of it\nsecond\n");
    instance_output_set_request(output, NULL);
    put("after\n");
    run_until_idle();
    const char *log = take_log();
    check_logged(log, "before");
    check_logged_for(log, "first", "r1");
    check_logged_for(log, "half of it", "r1");
    check_logged_for(log, "second", "r2");
    check_logged(log, "after");
}

static void a_character_over_two_reads_stays_one(void **state)
{
    (void)state;
    for (int i = 0; i < 8191 / 100; i++) {
        put_many('x', 99);
        put("\n");
    }
    put_many('y', 8191 % 100);
    put("é");
    run_until_idle();
    put("\xe4\xb8");
    run_until_idle();
    put("\x96\n");
    run_until_idle();
    assert_non_null(strstr(take_log(), "yé世\""));
}

static void a_long_line_is_cut_between_characters_and_marked(void **state)
{
    (void)state;
    put_many('x', INSTANCE_OUTPUT_LINE_MAX - 1);
    put("éy\nnext\n");
    run_until_idle();
    const char *log = take_log();
    assert_int_equal(count_of(log, "\n"), 3);
    assert_non_null(strstr(log, "xxx…\""));
    check_logged(log, "…éy");
    check_logged(log, "next");
}

static void a_line_of_the_longest_length_is_whole(void **state)
{
    (void)state;
    put_many('x', INSTANCE_OUTPUT_LINE_MAX);
    put("\n");
    run_until_idle();
    const char *log = take_log();
    assert_int_equal(count_of(log, "\n"), 1);
    assert_null(strstr(log, "…"));
}

static void a_long_line_that_is_no_text_is_cut_too(void **state)
{
    (void)state;
    put_many('\x80', 3 * INSTANCE_OUTPUT_LINE_MAX);
    put("\n");
    run_until_idle();
    assert_int_equal(count_of(take_log(), "\n"), 3);
}

static void the_end_takes_a_last_line_without_an_end(void **state)
{
    (void)state;
    put("one\n");
    put_bytes("t\0wo", 4);
    instance_output_drain(output);
    const char *log = take_log();
    check_logged(log, "one");
    check_logged(log, "two");
    assert_string_equal(instance_output_tail(output), "one | two");
    assert_false(uv_loop_alive(&loop));
}

/** The test holds the pipe open, as a child of the process may. */
static void the_end_does_not_wait_for_others_that_write(void **state)
{
    (void)state;
    put("last\n");
    instance_output_drain(output);
    put("later\n");
    instance_output_set_request(output, "r1");
    run_until_idle();
    assert_string_equal(instance_output_tail(output), "last");
    assert_int_equal(count_of(take_log(), "\n"), 1);
}

static void the_end_takes_the_last_of_a_full_pipe(void **state)
{
    (void)state;
    assert_int_equal(fcntl(writer, F_SETPIPE_SZ, BIG_PIPE_BYTES), BIG_PIPE_BYTES);
    char block[4096];
    memset(block, 'x', sizeof(block));
    for (size_t i = 0; i < BIG_PIPE_BYTES / 2 / sizeof(block); i++) {
        put_bytes(block, sizeof(block));
    }
    put("\nthe reason\n");
    instance_output_drain(output);
    assert_non_null(strstr(instance_output_tail(output), "the reason"));
    const char *log = take_log();
    assert_non_null(strstr(log, "\"event\":\"process_output_lost\""));
    CLEANUP(memory_free_pointer)
    char *bytes = memory_format("\"bytes\":%d}", BIG_PIPE_BYTES / 2 + 12 - INSTANCE_OUTPUT_TAKE);
    assert_non_null(strstr(log, bytes));
}

static void the_tail_is_the_last_whole_lines(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        CLEANUP(memory_free_pointer) char *line = memory_format("line %d\n", i);
        put(line);
    }
    run_until_idle();
    const char *tail = instance_output_tail(output);
    assert_in_range(strlen(tail), INSTANCE_OUTPUT_TAIL_MAX - 20, INSTANCE_OUTPUT_TAIL_MAX);
    assert_memory_equal(tail, "line ", 5);
    assert_non_null(strstr(tail, "line 198 | line 199"));
    for (int i = 0; i < INSTANCE_OUTPUT_TAIL_MAX; i++) {
        put("ü");
    }
    put("!\n");
    run_until_idle();
    tail = instance_output_tail(output);
    assert_int_equal(strlen(tail), INSTANCE_OUTPUT_TAIL_MAX - 1);
    assert_memory_equal(tail, "ü", 2);
}

/** Writes lines until the pipe is full and the loop takes no more; the bytes that it took. */
static size_t flood(size_t *in_pipe)
{
    char block[1024];
    memset(block, 'f', sizeof(block));
    block[sizeof(block) - 1] = '\n';
    size_t written = 0;
    int idle = 0;
    while (idle < 3) {
        ssize_t count = write(writer, block, sizeof(block));
        written += count > 0 ? (size_t)count : 0;
        idle = count > 0 ? 0 : idle + 1;
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    int waiting = 0;
    (void)ioctl(writer, FIONREAD, &waiting);
    size_t before = *in_pipe;
    *in_pipe = (size_t)waiting;
    return before + written - (size_t)waiting;
}

static void a_flood_waits_in_the_pipe(void **state)
{
    (void)state;
    assert_int_equal(fcntl(writer, F_SETFL, O_NONBLOCK), 0);
    size_t in_pipe = 0;
    size_t taken = flood(&in_pipe);
    assert_in_range(taken, MIB * 9 / 10, MIB + 8192);
    assert_in_range(in_pipe, PIPE_BYTES - 4096, PIPE_BYTES);
    instance_output_set_request(output, "r1");  // reads nothing now
    taken = flood(&in_pipe);
    assert_int_equal(taken, 0);

    clock_fake(START_US + CLOCK_US_PER_S / 2, 1);
    (void)uv_run(&loop, UV_RUN_ONCE);  // until the timer that resumes
    taken = flood(&in_pipe);
    assert_in_range(taken, MIB * 4 / 10, MIB / 2 + 8192);
    assert_int_equal(count_of(take_log(), "process_output"), LOG_REPEAT_LINES);

    clock_fake(START_US + (LOG_REPEAT_SECONDS + 1) * CLOCK_US_PER_S, 1);
    log_flush();
    assert_non_null(strstr(take_log(), "\"event\":\"process_output\",\"component\":\"function/f"));
    assert_non_null(strstr(bytes_text(&logged), "more lines with this event in 10 s"));
}

static void a_flood_of_short_lines_waits_sooner(void **state)
{
    (void)state;
    assert_int_equal(fcntl(writer, F_SETFL, O_NONBLOCK), 0);
    char block[4096];
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = i % 2 == 0 ? 'y' : '\n';
    }
    size_t written = 0;
    for (int idle = 0; idle < 3; (void)uv_run(&loop, UV_RUN_NOWAIT)) {
        ssize_t count = write(writer, block, sizeof(block));
        written += count > 0 ? (size_t)count : 0;
        idle = count > 0 ? 0 : idle + 1;
    }
    assert_in_range(written, PIPE_BYTES, PIPE_BYTES + MIB / 16);
}

static void one_turn_of_the_loop_reads_little(void **state)
{
    (void)state;
    assert_int_equal(fcntl(writer, F_SETFL, O_NONBLOCK), 0);
    char block[4096];
    memset(block, 'x', sizeof(block));
    while (write(writer, block, sizeof(block)) > 0) {}
    int before = 0;
    int after = 0;
    (void)ioctl(writer, FIONREAD, &before);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    (void)ioctl(writer, FIONREAD, &after);
    assert_in_range(before - after, 1, 8192);
}

static void a_closed_pipe_is_not_watched(void **state)
{
    (void)state;
    put("bye");
    (void)close(writer);
    writer = -1;
    for (int i = 0; i < 10 && uv_loop_alive(&loop); i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_false(uv_loop_alive(&loop));
    instance_output_drain(output);
    check_logged(take_log(), "bye");
}

static void what_was_not_started_is_closed(void **state)
{
    (void)state;
    instance_output_drain(output);
    assert_string_equal(instance_output_tail(output), "");
}

static void nothing_but_its_timer_before_the_pipe(void **state)
{
    (void)state;
    struct instance_output *other = instance_output_new(&loop, component);
    instance_output_set_request(other, "r1");
    instance_output_drain(other);
    instance_output_close(other, on_closed, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    closed = 0;
}

static void on_exit_of_shell(uv_process_t *process, int64_t code, int signal)
{
    assert_int_equal(code, 0);
    assert_int_equal(signal, 0);
    uv_close((uv_handle_t *)process, NULL);
    instance_output_drain(output);
}

static void a_script_may_open_its_error_output(void **state)
{
    (void)state;
    char *arguments[] = {"sh", "-c", "echo one; echo two >/dev/stderr; echo three >&2; printf four", NULL};
    uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE}, out, out};
    uv_process_t process;
    const uv_process_options_t options = {
        .exit_cb = on_exit_of_shell, .file = "sh", .args = arguments, .stdio = stdio, .stdio_count = 3};
    assert_int_equal(uv_spawn(&loop, &process, &options), 0);
    instance_output_start(output, PID);
    (void)uv_run(&loop, UV_RUN_DEFAULT);  // until the drain: the test holds the pipe open
    assert_string_equal(instance_output_tail(output), "one | two | three | four");
}

int main(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_line_is_an_event, setup_started, teardown),
        cmocka_unit_test_setup_teardown(a_line_has_the_request_that_ran_when_it_began, setup_started,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_character_over_two_reads_stays_one, setup_started, teardown),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_between_characters_and_marked, setup_started,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_line_of_the_longest_length_is_whole, setup_started, teardown),
        cmocka_unit_test_setup_teardown(a_long_line_that_is_no_text_is_cut_too, setup_started, teardown),
        cmocka_unit_test_setup_teardown(the_end_takes_a_last_line_without_an_end, setup_started, teardown),
        cmocka_unit_test_setup_teardown(the_end_does_not_wait_for_others_that_write, setup_started, teardown),
        cmocka_unit_test_setup_teardown(the_end_takes_the_last_of_a_full_pipe, setup_started, teardown),
        cmocka_unit_test_setup_teardown(the_tail_is_the_last_whole_lines, setup_started, teardown),
        cmocka_unit_test_setup_teardown(a_flood_waits_in_the_pipe, setup_started, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_short_lines_waits_sooner, setup_started, teardown),
        cmocka_unit_test_setup_teardown(one_turn_of_the_loop_reads_little, setup_started, teardown),
        cmocka_unit_test_setup_teardown(a_closed_pipe_is_not_watched, setup_started, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_started_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_but_its_timer_before_the_pipe, setup, teardown),
        cmocka_unit_test_setup_teardown(a_script_may_open_its_error_output, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
