// bridge/endpoints/process/instance: the end of a real process that may use little of the processor.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "bridge/endpoints/process/instance.h"
#include "bridge/endpoints/process/process_limits.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/component/bridge/endpoints/process/function_client.h"

enum { GUARD_MS = 30000, MIB = 1 << 20 };

struct instance_case {
    uv_loop_t loop;
    uv_timer_t guard;
    struct process_config config;
    struct instance *instance;
    struct runtime_invocation invocation;
    bool is_ended;
    bool is_closed;
    enum instance_end_reason reason;
    char text[512];
};

static char own_path[4096];
static int stopped_watches;

void __real_process_limits_stop(struct process_limits *l);
void __wrap_process_limits_stop(struct process_limits *l);

void __wrap_process_limits_stop(struct process_limits *l)
{
    stopped_watches += l == NULL ? 0 : 1;
    __real_process_limits_stop(l);
}

static void on_guard(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("what the test waits for has not happened in %d ms", GUARD_MS);
}

static void on_ready(void *self, struct instance *i)
{
    struct instance_case *c = self;
    if (instance_running(i) == 0) {
        assert_true(instance_invoke(i, &c->invocation));
    }
}

static void on_result(void *self, struct instance *i, struct runtime_invocation *invocation,
                      const struct runtime_result *r)
{
    (void)self;
    (void)i;
    (void)invocation;
    (void)r;
    fail();
}

static void on_end(void *self, struct instance *i, const struct instance_end *end)
{
    struct instance_case *c = self;
    c->is_ended = true;
    c->reason = end->reason;
    (void)snprintf(c->text, sizeof(c->text), "%s", end->text);
    while (instance_take_running(i) != NULL) {}
}

static void on_closed(void *self, struct instance *i)
{
    (void)i;
    struct instance_case *c = self;
    c->is_closed = true;
}

static void open_case(struct instance_case *c, const char *what, int64_t cpu_millis)
{
    *c = (struct instance_case){0};
    assert_int_equal(uv_loop_init(&c->loop), 0);
    (void)uv_timer_init(&c->loop, &c->guard);
    (void)uv_timer_start(&c->guard, on_guard, GUARD_MS, 0);
    text_list_add(&c->config.command, own_path);
    text_list_add(&c->config.command, "--function");
    text_list_add(&c->config.command, what);
    c->config.concurrency_per_instance = 1;
    c->config.init_timeout_us = 20 * CLOCK_US_PER_S;
    c->config.cpu_millis = cpu_millis;
    c->invocation = (struct runtime_invocation){
        .id = "00000000-0000-4000-8000-000000000001",
        .body = slice_of("{}"),
        .deadline_wall_us = clock_wall_us() + 60 * CLOCK_US_PER_S,
        .function_arn = "arn:aws:lambda:local:000000000000:function:orders",
    };
    const struct instance_params params = {
        .loop = &c->loop,
        .config = &c->config,
        .function = "orders",
        .component = "function/orders",
        .program = MILLRACE_PROGRAM,
        .on_ready = on_ready,
        .on_result = on_result,
        .on_end = on_end,
        .on_closed = on_closed,
        .self = c,
    };
    struct fault f;
    assert_true(instance_start(&params, &c->instance, &f));
}

static void close_case(struct instance_case *c)
{
    uv_close((uv_handle_t *)&c->guard, NULL);
    assert_int_equal(uv_run(&c->loop, UV_RUN_DEFAULT), 0);
    assert_true(c->is_closed);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    process_config_clear(&c->config);
}

static void run_until_end(struct instance_case *c)
{
    while (!c->is_ended) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

/** The state of the test's only child: 'T' is stopped. */
static char state_of_child(void)
{
    char path[64];
    long pid = 0;
    char state = 0;
    (void)snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
    FILE *children = fopen(path, "re");
    if (children == NULL) {
        return 0;
    }
    bool has_child = fscanf(children, "%ld", &pid) == 1;
    (void)fclose(children);
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *about = has_child ? fopen(path, "re") : NULL;
    if (about != NULL) {
        (void)fscanf(about, "%*d (%*[^)]) %c", &state);
        (void)fclose(about);
    }
    return state;
}

/** In its call. */
static void run_until_held(struct instance_case *c)
{
    while (instance_running(c->instance) == 0 || state_of_child() != 'T') {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

static void test_one_that_is_held_sees_the_signal_to_end(void **state)
{
    (void)state;
    struct instance_case c;
    open_case(&c, "busy", 50);
    run_until_held(&c);
    stopped_watches = 0;
    instance_stop(c.instance);
    assert_int_equal(stopped_watches, 1);
    assert_int_not_equal(state_of_child(), 'T');
    run_until_end(&c);
    assert_int_equal(c.reason, INSTANCE_END_STOPPED);
    assert_string_equal(c.text, "the function's process was ended by SIGTERM");
    close_case(&c);
}

/** The guard, which is in the process group, has to end all that has left it. */
static void test_one_that_is_killed_is_not_held_any_more(void **state)
{
    (void)state;
    struct instance_case c;
    open_case(&c, "busy", 50);
    run_until_held(&c);
    stopped_watches = 0;
    instance_kill(c.instance, INSTANCE_KILL_TIMEOUT);
    assert_int_equal(stopped_watches, 1);
    run_until_end(&c);
    assert_int_equal(c.reason, INSTANCE_END_KILLED);
    close_case(&c);
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
        cmocka_unit_test(test_one_that_is_held_sees_the_signal_to_end),
        cmocka_unit_test(test_one_that_is_killed_is_not_held_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
