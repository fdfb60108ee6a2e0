// bridge/endpoints/aws/aws_process: real programs on a loop.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/endpoints/aws/aws_process.h"

enum { LONG_MS = 60000 };

struct process_case {
    uv_loop_t loop;
    int done;
    struct bytes output;
    struct fault fault;  // FAULT_NONE: it succeeded
};

static struct process_case c;

static int start(void **state)
{
    (void)state;
    c = (struct process_case){.output = {0}};
    return uv_loop_init(&c.loop);
}

static int stop(void **state)
{
    (void)state;
    bytes_clear(&c.output);
    (void)uv_run(&c.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&c.loop);
}

static void on_done(void *self, struct slice output, const struct fault *f)
{
    (void)self;
    c.done++;
    bytes_reset(&c.output);
    bytes_append_slice(&c.output, output);
    c.fault = f == NULL ? (struct fault){0} : *f;
}

static bool begin(const char *command, uint64_t timeout_ms, struct aws_process **ret, struct fault *f)
{
    const struct aws_process_params params = {command, timeout_ms, on_done, NULL};
    return aws_process_start(&c.loop, &params, ret, f);
}

static void run(const char *command, uint64_t timeout_ms)
{
    struct aws_process *p = NULL;
    struct fault f;
    c.done = 0;
    if (!begin(command, timeout_ms, &p, &f)) {
        fail_msg("%s", f.text);
    }
    while (c.done == 0) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
}

static void check_failed(const char *command, uint64_t timeout_ms, const char *text)
{
    run(command, timeout_ms);
    assert_int_equal(c.fault.kind, FAULT_RETRY);
    assert_string_equal(c.fault.text, text);
    assert_int_equal(c.output.size, 0);
}

static void commands_are_split_as_the_sdks_split_them(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *words;  // each in brackets
    } CASES[] = {
        {"/bin/keys", "[/bin/keys]"},
        {"  keys \t--json  a ", "[keys][--json][a]"},
        {"\"/opt/my tools/keys\" 'it''s' \"\" ''", "[/opt/my tools/keys][its][][]"},
        {"a\\ b \"c\\\"d\\\\e\\f\" 'g\\h'", "[a b][c\"d\\e\\f][g\\h]"},
        {"keys $HOME `id` a|b; ~ *", "[keys][$HOME][`id`][a|b;][~][*]"},
        {"x\"y z\"w", "[xy zw]"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct text_list words CLEANUP(text_list_clear) = {0};
        struct bytes text CLEANUP(bytes_clear) = {0};
        struct fault f;
        assert_true(aws_process_split(CASES[i].command, &words, &f));
        for (size_t k = 0; k < words.count; k++) {
            bytes_format(&text, "[%s]", words.items[k]);
        }
        assert_string_equal(bytes_text(&text), CASES[i].words);
    }
    static const char *const BAD[] = {"", "  ", "a 'b", "a \"b\\\""};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct text_list words CLEANUP(text_list_clear) = {0};
        struct fault f;
        assert_false(aws_process_split(BAD[i], &words, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
    }
}

static void its_output_is_given_and_only_some_variables_are(void **state)
{
    (void)state;
    (void)setenv("ORDERS_TOKEN", "hunter2", 1);
    (void)setenv("AWS_VAULT_NAME", "shop", 1);
    run("env", LONG_MS);
    assert_int_equal(c.fault.kind, FAULT_NONE);
    assert_non_null(strstr(bytes_text(&c.output), "AWS_VAULT_NAME=shop\n"));
    assert_non_null(strstr(bytes_text(&c.output), "PATH="));
    assert_null(strstr(bytes_text(&c.output), "hunter2"));
    (void)unsetenv("ORDERS_TOKEN");
    (void)unsetenv("AWS_VAULT_NAME");
}

static void failures_say_how(void **state)
{
    (void)state;
    check_failed("sh -c 'echo secret; echo no ticket: run kinit >&2; echo more >&2; exit 3'", LONG_MS,
                 "credential_process ended with 3: no ticket: run kinit");
    check_failed("sh -c 'exit 1'", LONG_MS, "credential_process ended with 1");
    check_failed("sh -c 'kill -9 $$'", LONG_MS, "credential_process was ended by signal 9");
    check_failed("sleep 1000", 100, "credential_process did not end in time");
    check_failed("sh -c 'exec yes'", LONG_MS, "credential_process writes more than 64 KiB");
    check_failed("sh -c 'yes >&2 & exec sleep 1000'", 300, "credential_process did not end in time");
    struct aws_process *p = NULL;
    struct fault f;
    assert_false(begin("/nonexistent/keys --json", LONG_MS, &p, &f));
    assert_string_equal(f.text, "credential_process: /nonexistent/keys: no such file or directory");
}

/** A program may leave an agent behind that never closes the pipes. */
static void what_it_leaves_running_is_not_waited_for(void **state)
{
    (void)state;
    run("sh -c 'sleep 1000 & echo $!'", LONG_MS);
    assert_int_equal(c.fault.kind, FAULT_NONE);
    pid_t left = (pid_t)strtol(bytes_text(&c.output), NULL, 10);
    assert_true(left > 1);
    assert_int_equal(kill(left, SIGKILL), 0);
    run("sh -c 'yes >&2 & echo $!; exit 4'", LONG_MS);
    assert_int_equal(c.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(c.fault.text, "credential_process ended with 4"));  // what it wrote is a race
}

static pid_t wait_pid(const char *path)
{
    int pid = 0;
    while (pid == 0) {
        FILE *file = fopen(path, "r");
        if (file != NULL) {
            if (fscanf(file, "%d\n", &pid) != 1) {
                pid = 0;
            }
            (void)fclose(file);
        }
        (void)usleep(1000);
    }
    return pid;
}

static void what_is_cancelled_is_killed_with_what_it_started(void **state)
{
    (void)state;
    char path[] = "/tmp/millrace-pid-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    (void)close(file);
    CLEANUP(memory_free_pointer)
    char *command = memory_format("sh -c 'sleep 1000 & echo $! >%s; wait'", path);
    struct aws_process *p = NULL;
    struct fault f;
    assert_true(begin(command, LONG_MS, &p, &f));
    pid_t inner = wait_pid(path);
    assert_int_equal(kill(inner, 0), 0);
    aws_process_cancel(p);
    (void)uv_run(&c.loop, UV_RUN_DEFAULT);
    assert_int_equal(c.done, 0);
    CLEANUP(memory_free_pointer) char *status = memory_format("/proc/%d/stat", (int)inner);
    for (;;) {  // gone, or dead and waiting for init
        FILE *stat = fopen(status, "r");
        char letter = 'Z';
        if (stat != NULL) {
            int fields = fscanf(stat, "%*d %*s %c", &letter);
            (void)fclose(stat);
            letter = fields == 1 ? letter : 'Z';
        }
        if (letter == 'Z' || letter == 'X') {
            break;
        }
        (void)usleep(1000);
    }
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_split_as_the_sdks_split_them),
        cmocka_unit_test_setup_teardown(its_output_is_given_and_only_some_variables_are, start, stop),
        cmocka_unit_test_setup_teardown(failures_say_how, start, stop),
        cmocka_unit_test_setup_teardown(what_it_leaves_running_is_not_waited_for, start, stop),
        cmocka_unit_test_setup_teardown(what_is_cancelled_is_killed_with_what_it_started, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
