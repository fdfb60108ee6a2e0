// bridge/endpoints/process: instances of real processes, started through millrace itself, and their calls.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bridge/endpoints/process/instance.h"
#include "bridge/endpoints/process/process_pool.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/component/bridge/endpoints/process/function_client.h"

enum { CALLS_MAX = 8, GUARD_MS = 20000, TEXT_MAX = 1200 };

struct call {
    struct process_call call;
    struct pool_case *owner;
    bool is_done;
    enum process_verdict verdict;
    char body[256];
    char text[512];
};

struct pool_case {
    uv_loop_t loop;
    struct process_config config;
    struct process_pool *pool;
    struct call calls[CALLS_MAX];
    size_t done;
    uv_timer_t guard;
    char file[64];
};

static char own_path[4096];

static void on_result(struct process_call *process_call, const struct process_result *r)
{
    struct call *call = CONTAINER_OF(process_call, struct call, call);
    assert_false(call->is_done);
    call->is_done = true;
    assert_true(r->text == NULL || strlen(r->text) <= TEXT_MAX);
    call->verdict = r->verdict;
    (void)snprintf(call->body, sizeof(call->body), "%.*s", (int)r->body.size, (const char *)r->body.data);
    (void)snprintf(call->text, sizeof(call->text), "%s", r->text == NULL ? "" : r->text);
    call->owner->done++;
}

static void on_guard(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("what the test waits for has not happened in %d ms", GUARD_MS);
}

static void open_case(struct pool_case *c, const char *what)
{
    *c = (struct pool_case){0};
    assert_int_equal(uv_loop_init(&c->loop), 0);
    (void)uv_timer_init(&c->loop, &c->guard);
    (void)uv_timer_start(&c->guard, on_guard, GUARD_MS, 0);
    (void)snprintf(c->file, sizeof(c->file), "/tmp/millrace-pool-%ld", (long)getpid());
    (void)unlink(c->file);
    text_list_add(&c->config.command, own_path);
    text_list_add(&c->config.command, "--function");
    text_list_add(&c->config.command, what);
    c->config.instances = 1;
    c->config.concurrency_per_instance = 1;
    c->config.init_timeout_us = 10 * CLOCK_US_PER_S;
}

static void open_pool(struct pool_case *c)
{
    const struct process_pool_params params = {
        .loop = &c->loop,
        .config = &c->config,
        .function = "orders",
        .program = MILLRACE_PROGRAM,
    };
    c->pool = process_pool_new(&params);
}

static void start_call(struct pool_case *c, size_t at, const char *body, int64_t timeout_us)
{
    struct call *call = &c->calls[at];
    *call = (struct call){.owner = c};
    call->call.body = slice_of(body);
    call->call.timeout_us = timeout_us;
    call->call.on_result = on_result;
    process_pool_call(c->pool, &call->call);
}

static void run_until(struct pool_case *c, size_t done)
{
    while (c->done < done) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

/** Lets the calls go on whose body is the file's name. */
static void make_file(const struct pool_case *c)
{
    FILE *f = fopen(c->file, "w");
    assert_non_null(f);
    (void)fclose(f);
}

static void on_time(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void run_for(struct pool_case *c, int64_t us)
{
    uv_timer_t timer;
    (void)uv_timer_init(&c->loop, &timer);
    (void)uv_timer_start(&timer, on_time, (uint64_t)(us / CLOCK_US_PER_MS), 0);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&c->loop, UV_RUN_NOWAIT);
}

static void close_case(struct pool_case *c)
{
    process_pool_close(c->pool);
    uv_close((uv_handle_t *)&c->guard, NULL);
    assert_int_equal(uv_run(&c->loop, UV_RUN_DEFAULT), 0);  // all handles are closed: all processes are gone
    assert_int_equal(uv_loop_close(&c->loop), 0);
    process_config_clear(&c->config);
    (void)unlink(c->file);
}

#define LONG (20 * CLOCK_US_PER_S)
#define SHORT (CLOCK_US_PER_S / 5)

static void test_calls_get_their_results(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "echo");
    c.config.instances = 2;
    open_pool(&c);
    for (size_t i = 0; i < 4; i++) {
        char body[8];
        (void)snprintf(body, sizeof(body), "\"%zu\"", i);
        start_call(&c, i, body, LONG);
        run_until(&c, i + 1);
        assert_int_equal(c.calls[i].verdict, PROCESS_SUCCEEDED);
        assert_string_equal(c.calls[i].body, body);
    }
    start_call(&c, 4, "\"a\"", LONG);
    start_call(&c, 5, "\"b\"", LONG);
    start_call(&c, 6, "\"c\"", LONG);
    run_until(&c, 7);
    assert_string_equal(c.calls[4].body, "\"a\"");
    assert_string_equal(c.calls[5].body, "\"b\"");
    assert_string_equal(c.calls[6].body, "\"c\"");
    close_case(&c);
}

/** A UUID of version 4. */
static void assert_is_uuid(const char *id)
{
    static const char FORM[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    assert_int_equal(strlen(id), strlen(FORM));
    for (size_t i = 0; i < strlen(FORM); i++) {
        const char *allowed = FORM[i] == 'x' ? "0123456789abcdef" : FORM[i] == 'y' ? "89ab" : NULL;
        assert_true(allowed == NULL ? id[i] == FORM[i] : strchr(allowed, id[i]) != NULL);
    }
}

static void test_each_call_has_an_id_of_its_own(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "echo");
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    start_call(&c, 1, "{}", LONG);  // waits for the first one
    run_until(&c, 2);
    assert_is_uuid(c.calls[0].call.invocation.id);
    assert_is_uuid(c.calls[1].call.invocation.id);
    assert_string_not_equal(c.calls[0].call.invocation.id, c.calls[1].call.invocation.id);
    close_case(&c);
}

static void test_a_function_that_fails_says_why(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "error");
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_FAILED);
    assert_string_equal(c.calls[0].body, "{\"errorType\":\"ValueError\",\"errorMessage\":\"no such order\"}");
    close_case(&c);
}

static void test_a_crash_ends_the_call_and_the_next_one_runs_in_a_new_process(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "crash");
    open_pool(&c);
    for (size_t i = 0; i < 2; i++) {
        start_call(&c, i, "{}", LONG);
        run_until(&c, i + 1);
        assert_int_equal(c.calls[i].verdict, PROCESS_CRASHED);
        assert_string_equal(c.calls[i].text, "the function's process exited with code 7: about to crash");
    }
    close_case(&c);
}

static void test_a_call_that_is_too_long_ends_with_its_process(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "echo");
    open_pool(&c);
    start_call(&c, 0, c.file, SHORT);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_TIMED_OUT);
    make_file(&c);
    start_call(&c, 1, c.file, LONG);
    run_until(&c, 2);
    assert_int_equal(c.calls[1].verdict, PROCESS_SUCCEEDED);
    close_case(&c);
}

static void test_a_process_that_does_not_start_fails_the_calls_that_wait(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *text;
    } CASES[] = {
        {"exit", "the function's process exited with code 3: no configuration"},
        {"init-error", "the function's process exited with code 1: ImportError: no module app"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pool_case c;
        open_case(&c, CASES[i].what);
        open_pool(&c);
        start_call(&c, 0, "{}", LONG);
        start_call(&c, 1, "{}", LONG);
        run_until(&c, 2);
        for (size_t at = 0; at < 2; at++) {
            assert_int_equal(c.calls[at].verdict, PROCESS_NOT_STARTED);
            assert_string_equal(c.calls[at].text, CASES[i].text);
        }
        start_call(&c, 2, "{}", LONG);  // it is started again, later
        run_until(&c, 3);
        assert_string_equal(c.calls[2].text, CASES[i].text);
        close_case(&c);
    }
}

static void test_a_long_reason_of_one_that_does_not_start_is_cut(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "init-long");
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_NOT_STARTED);
    assert_non_null(strstr(c.calls[0].text, "exited with code 1: xxxx"));
    close_case(&c);
}

static void test_a_process_that_never_asks_is_killed(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "idle");
    c.config.init_timeout_us = SHORT;
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_NOT_STARTED);
    assert_string_equal(c.calls[0].text,
                        "the function's process asked for no invocation within init_timeout");
    close_case(&c);
}

static void test_a_command_that_is_not_there(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "echo");
    free(c.config.command.items[0]);
    c.config.command.items[0] = memory_string("/no/such/program");
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_NOT_STARTED);
    assert_string_equal(c.calls[0].text, "the function's process exited with code 127: millrace: can't run "
                                         "/no/such/program: No such file or directory");
    close_case(&c);
}

static void test_a_result_that_is_too_large(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "big");
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_TOO_LARGE);
    start_call(&c, 1, "{}", LONG);  // the same process had a response, and goes on
    run_until(&c, 2);
    assert_int_equal(c.calls[1].verdict, PROCESS_TOO_LARGE);
    close_case(&c);
}

static void test_one_that_takes_too_much_memory(void **state)
{
    (void)state;
    struct pool_case c;
#ifdef __SANITIZE_ADDRESS__
    skip();  // AddressSanitizer's own memory is above any limit
#endif
    open_case(&c, "grow");
    c.config.memory_bytes = 64 << 20;
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_OUT_OF_MEMORY);
    assert_string_equal(c.calls[0].text,
                        "the function's process used more memory than endpoint.process.memory allows");
    close_case(&c);
}

static void test_results_for_other_ids_change_nothing(void **state)
{
    (void)state;
    static const char *const CASES[] = {"other", "longer", "twice"};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pool_case c;
        open_case(&c, CASES[i]);
        open_pool(&c);
        for (size_t at = 0; at < 3; at++) {
            char body[8];
            (void)snprintf(body, sizeof(body), "\"%zu\"", at);
            start_call(&c, at, body, LONG);
            run_until(&c, at + 1);
            assert_int_equal(c.calls[at].verdict, PROCESS_SUCCEEDED);
            assert_string_equal(c.calls[at].body, body);
        }
        close_case(&c);
    }
}

static void test_a_cancelled_call_ends_its_process(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "as-told");
    open_pool(&c);
    start_call(&c, 0, "silent", LONG);
    while (c.calls[0].call.state == PROCESS_CALL_WAITS) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    process_pool_cancel(c.pool, &c.calls[0].call);
    struct instance *first = c.calls[0].call.instance;
    assert_true(instance_state(first) >= INSTANCE_KILLED);
    start_call(&c, 1, "echo", LONG);
    run_until(&c, 1);
    assert_false(c.calls[0].is_done);
    assert_int_equal(c.calls[1].verdict, PROCESS_SUCCEEDED);
    close_case(&c);
}

static void test_two_calls_run_in_one_process(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "as-told");
    c.config.concurrency_per_instance = 2;
    open_pool(&c);
    start_call(&c, 0, "silent", LONG);
    start_call(&c, 1, "echo", LONG);
    run_until(&c, 1);
    assert_true(c.calls[1].is_done);
    start_call(&c, 2, "crash", LONG);
    run_until(&c, 3);
    assert_int_equal(c.calls[0].verdict, PROCESS_CRASHED);
    assert_int_equal(c.calls[2].verdict, PROCESS_CRASHED);
    close_case(&c);
}

static void test_a_late_call_ends_after_the_others_of_its_process(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "as-told");
    c.config.concurrency_per_instance = 2;
    open_pool(&c);
    start_call(&c, 0, "silent", SHORT);
    start_call(&c, 1, "silent", 5 * SHORT);
    run_until(&c, 2);
    assert_int_equal(c.calls[0].verdict, PROCESS_TIMED_OUT);
    assert_int_equal(c.calls[1].verdict, PROCESS_TIMED_OUT);
    start_call(&c, 2, "echo", LONG);
    run_until(&c, 3);
    assert_int_equal(c.calls[2].verdict, PROCESS_SUCCEEDED);
    close_case(&c);
}

static void test_a_process_with_a_late_call_takes_no_more(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "as-told");
    c.config.concurrency_per_instance = 3;
    c.config.instances = 2;
    open_pool(&c);
    start_call(&c, 0, "silent", SHORT);
    start_call(&c, 1, "silent", LONG);
    while (c.calls[0].call.state != PROCESS_CALL_LATE) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    start_call(&c, 2, "crash", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[2].verdict, PROCESS_CRASHED);
    assert_false(c.calls[1].is_done);
    process_pool_cancel(c.pool, &c.calls[1].call);
    run_until(&c, 2);
    assert_int_equal(c.calls[0].verdict, PROCESS_TIMED_OUT);
    close_case(&c);
}

static void test_a_late_call_ends_when_the_last_one_on_time_has_its_result(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "as-told");
    c.config.concurrency_per_instance = 2;
    open_pool(&c);
    start_call(&c, 0, "silent", SHORT);
    start_call(&c, 1, c.file, LONG);
    while (c.calls[0].call.state != PROCESS_CALL_LATE) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    make_file(&c);
    run_until(&c, 2);
    assert_int_equal(c.calls[0].verdict, PROCESS_TIMED_OUT);
    assert_int_equal(c.calls[1].verdict, PROCESS_SUCCEEDED);
    close_case(&c);
}

static void test_a_request_whose_client_is_gone_takes_no_call(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "hang-up");
    c.config.warm_instances = 1;
    open_pool(&c);
    run_for(&c, SHORT);  // both of its requests have come, or else the first one comes alone
    start_call(&c, 0, "\"a\"", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[0].verdict, PROCESS_SUCCEEDED);
    close_case(&c);
}

static void test_one_that_asks_for_no_further_call_is_replaced(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "once");
    c.config.init_timeout_us = 2 * CLOCK_US_PER_S;
    open_pool(&c);
    start_call(&c, 0, "1", LONG);
    run_until(&c, 1);
    start_call(&c, 1, "2", LONG);  // while the process keeps the first one's connection, and does nothing
    run_until(&c, 2);
    assert_int_equal(c.calls[1].verdict, PROCESS_SUCCEEDED);
    close_case(&c);
}

static void test_a_call_that_waits_is_given_to_one_that_asked_before_its_result(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "ahead");
    open_pool(&c);
    start_call(&c, 0, c.file, LONG);
    start_call(&c, 1, "2", LONG);
    while (c.calls[0].call.state == PROCESS_CALL_WAITS) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    run_for(&c, SHORT);  // it asks meanwhile
    make_file(&c);
    run_until(&c, 2);
    assert_int_equal(c.calls[1].verdict, PROCESS_SUCCEEDED);
    assert_string_equal(c.calls[1].body, "2");
    close_case(&c);
}

static void close_pool(struct process_call *process_call, const struct process_result *r)
{
    on_result(process_call, r);
    struct pool_case *c = CONTAINER_OF(process_call, struct call, call)->owner;
    process_pool_close(TAKE(c->pool));
}

static void test_none_starts_when_the_end_of_a_call_closes_the_pool(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "crash");
    c.config.warm_instances = 1;
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    start_call(&c, 1, "{}", SHORT - c.config.init_timeout_us);
    c.calls[1].call.on_result = close_pool;
    usleep(3 * SHORT);  // the call is late, and a new process is due
    run_until(&c, 2);
    assert_int_equal(c.calls[1].verdict, PROCESS_NOT_STARTED);
    uv_unref((uv_handle_t *)&c.guard);
    (void)uv_run(&c.loop, UV_RUN_DEFAULT);  // ends when no process is left
    close_case(&c);
}

static void test_instances_start_as_calls_need_them(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "as-told");
    c.config.instances = 3;
    c.config.warm_instances = 0;
    open_pool(&c);
    start_call(&c, 0, "silent", LONG);
    start_call(&c, 1, "silent", LONG);
    start_call(&c, 2, "crash", LONG);
    run_until(&c, 1);
    assert_int_equal(c.calls[2].verdict, PROCESS_CRASHED);
    assert_ptr_not_equal(c.calls[0].call.instance, c.calls[1].call.instance);
    process_pool_cancel(c.pool, &c.calls[0].call);
    process_pool_cancel(c.pool, &c.calls[1].call);
    close_case(&c);
}

static void test_idle_instances_stop_but_the_warm_ones(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "echo");
    c.config.instances = 2;
    c.config.warm_instances = 1;
    c.config.idle_stop_us = SHORT;
    open_pool(&c);
    start_call(&c, 0, "\"a\"", LONG);
    start_call(&c, 1, "\"b\"", LONG);
    while (process_pool_instances(c.pool) < 2) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    run_until(&c, 2);
    while (process_pool_instances(c.pool) > 1) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    run_for(&c, 3 * SHORT);
    assert_int_equal(process_pool_instances(c.pool), 1);
    start_call(&c, 2, "\"c\"", LONG);
    run_until(&c, 3);
    assert_int_equal(c.calls[2].verdict, PROCESS_SUCCEEDED);
    close_case(&c);
}

/** One that is about to end is no warm one. */
static void test_the_warm_instance_stays_while_others_take_long_to_end(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "deaf");
    c.config.instances = 3;
    c.config.warm_instances = 1;
    c.config.idle_stop_us = SHORT;
    open_pool(&c);
    for (size_t at = 0; at < 3; at++) {
        start_call(&c, at, c.file, LONG);
    }
    for (size_t at = 0; at < 3; at++) {
        while (c.calls[at].call.state != PROCESS_CALL_RUNS) {
            (void)uv_run(&c.loop, UV_RUN_ONCE);
        }
    }
    make_file(&c);
    run_until(&c, 3);
    while (process_pool_instances(c.pool) > 1) {
        (void)uv_run(&c.loop, UV_RUN_ONCE);
    }
    start_call(&c, 3, c.file, LONG);
    run_until(&c, 4);
    bool is_known = false;
    for (size_t at = 0; at < 3; at++) {
        is_known = is_known || strcmp(c.calls[3].body, c.calls[at].body) == 0;
    }
    assert_true(is_known);  // no process was started beyond the first three
    close_case(&c);
}

static void test_one_that_ignores_sigterm_is_killed(void **state)
{
    (void)state;
    struct pool_case c;
    open_case(&c, "deaf");
    open_pool(&c);
    start_call(&c, 0, "{}", LONG);
    run_until(&c, 1);
    close_case(&c);
}

/** Allows one descriptor more in each turn, until all steps of a start have one. */
static void test_a_start_without_descriptors_fails_at_each_step(void **state)
{
    (void)state;
    struct rlimit all;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    size_t failures = 0;
    for (rlim_t more = 0, is_started = 0; !is_started; more++, failures++) {
        struct pool_case c;
        open_case(&c, "echo");
        (void)uv_run(&c.loop, UV_RUN_NOWAIT);
        int free_fd = dup(STDIN_FILENO);
        (void)close(free_fd);
        const struct rlimit few = {(rlim_t)free_fd + more, all.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        open_pool(&c);
        start_call(&c, 0, "\"a\"", LONG);
        while (c.done == 0 && process_pool_instances(c.pool) == 0) {
            (void)uv_run(&c.loop, UV_RUN_ONCE);
        }
        is_started = process_pool_instances(c.pool);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
        run_until(&c, 1);
        assert_int_equal(c.calls[0].verdict, is_started ? PROCESS_SUCCEEDED : PROCESS_NOT_STARTED);
        assert_null(strstr(c.calls[0].text, "there is no user"));  // it is millrace's own, and not looked up
        close_case(&c);
    }
    assert_true(failures > 3);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--function") == 0) {
        return function_client(argv[2]);
    }
    ssize_t size = readlink("/proc/self/exe", own_path, sizeof(own_path) - 1);
    own_path[size] = '\0';
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_get_their_results),
        cmocka_unit_test(test_each_call_has_an_id_of_its_own),
        cmocka_unit_test(test_a_function_that_fails_says_why),
        cmocka_unit_test(test_a_crash_ends_the_call_and_the_next_one_runs_in_a_new_process),
        cmocka_unit_test(test_a_call_that_is_too_long_ends_with_its_process),
        cmocka_unit_test(test_a_process_that_does_not_start_fails_the_calls_that_wait),
        cmocka_unit_test(test_a_long_reason_of_one_that_does_not_start_is_cut),
        cmocka_unit_test(test_a_process_that_never_asks_is_killed),
        cmocka_unit_test(test_a_command_that_is_not_there),
        cmocka_unit_test(test_a_result_that_is_too_large),
        cmocka_unit_test(test_one_that_takes_too_much_memory),
        cmocka_unit_test(test_results_for_other_ids_change_nothing),
        cmocka_unit_test(test_a_cancelled_call_ends_its_process),
        cmocka_unit_test(test_two_calls_run_in_one_process),
        cmocka_unit_test(test_a_late_call_ends_after_the_others_of_its_process),
        cmocka_unit_test(test_a_process_with_a_late_call_takes_no_more),
        cmocka_unit_test(test_a_late_call_ends_when_the_last_one_on_time_has_its_result),
        cmocka_unit_test(test_a_request_whose_client_is_gone_takes_no_call),
        cmocka_unit_test(test_one_that_asks_for_no_further_call_is_replaced),
        cmocka_unit_test(test_a_call_that_waits_is_given_to_one_that_asked_before_its_result),
        cmocka_unit_test(test_none_starts_when_the_end_of_a_call_closes_the_pool),
        cmocka_unit_test(test_instances_start_as_calls_need_them),
        cmocka_unit_test(test_idle_instances_stop_but_the_warm_ones),
        cmocka_unit_test(test_the_warm_instance_stays_while_others_take_long_to_end),
        cmocka_unit_test(test_one_that_ignores_sigterm_is_killed),
        cmocka_unit_test(test_a_start_without_descriptors_fails_at_each_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
