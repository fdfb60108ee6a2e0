// bridge/endpoints/process/process_limits: real processes that take more than they may.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/endpoints/process/process_limits.h"
#include "bridge/endpoints/process/process_usage.h"
#include "core/base/clock.h"
#include "started.h"

enum { MIB = 1 << 20, LIMIT = 128 * MIB, SHARE = 200, SHARE_MS = 1500, LITTLE = 100 };

static uv_loop_t loop;
static struct process_limits *limits;
static int over;
static bool is_stopped_by_owner;
static int exact_readings;
static bool is_exact_hidden;

bool __real_process_usage_read_exact(pid_t leader, enum process_usage_scope scope, int64_t *ret);
bool __wrap_process_usage_read_exact(pid_t leader, enum process_usage_scope scope, int64_t *ret);

bool __wrap_process_usage_read_exact(pid_t leader, enum process_usage_scope scope, int64_t *ret)
{
    exact_readings++;
    return !is_exact_hidden && __real_process_usage_read_exact(leader, scope, ret);
}

static void on_memory(void *self)
{
    assert_ptr_equal(self, &loop);
    over++;
    if (is_stopped_by_owner) {
        process_limits_stop(TAKE(limits));
    }
}

static int setup(void **state)
{
    (void)state;
    over = 0;
    exact_readings = 0;
    is_stopped_by_owner = false;
    is_exact_hidden = false;
    clock_fake(-1, 0);
    return uv_loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    process_limits_stop(TAKE(limits));
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    clock_fake(-1, 0);
    return uv_loop_close(&loop);
}

static void watch(pid_t pid, int64_t memory_bytes, int64_t cpu_millis)
{
    const struct process_limits_params params = {.loop = &loop,
                                                 .leader = pid,
                                                 .memory_bytes = memory_bytes,
                                                 .cpu_millis = cpu_millis,
                                                 .on_memory = on_memory,
                                                 .self = &loop};
    limits = process_limits_start(&params);
}

/* ---- memory ---- */

static void be_modest(void)
{
    started_take_memory(LIMIT / 8);
    started_is_ready();
}

static void grow(void)
{
    started_is_ready();
    for (int i = 0; i < 24; i++) {
        started_take_memory(LIMIT / 16);
    }
}

static void grow_in_children(void)
{
    started_is_ready();
    for (int i = 0; i < 6; i++) {
        if (started_fork() == 0) {
            started_take_memory(LIMIT / 4);
            started_wait();
        }
    }
}

static void run_until_over(void)
{
    while (over == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

static void a_process_that_grows_is_told_once(void **state)
{
    (void)state;
    pid_t pid = started_new(grow);
    watch(pid, LIMIT, 0);
    run_until_over();
    assert_int_equal(over, 1);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);  // nothing is watched any more
    assert_int_equal(over, 1);
    (void)started_kill(pid, NULL);
}

static void children_that_grow_count_together(void **state)
{
    (void)state;
    pid_t pid = started_new(grow_in_children);
    is_stopped_by_owner = true;
    watch(pid, LIMIT, 0);
    run_until_over();
    assert_null(limits);
    (void)started_kill(pid, NULL);
}

static void without_exact_readings_the_estimate_counts(void **state)
{
    (void)state;
    is_exact_hidden = true;
    pid_t pid = started_new(grow);
    watch(pid, LIMIT, 0);
    run_until_over();
    assert_int_equal(exact_readings, 1);
    (void)started_kill(pid, NULL);
}

static void wait_for_looks(int count)
{
    for (int i = 0; i < count; i++) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

static void a_modest_process_is_left_alone(void **state)
{
    (void)state;
    pid_t pid = started_new(be_modest);
    watch(pid, LIMIT, 0);
    wait_for_looks(3);
    assert_int_equal(over, 0);
    assert_int_equal(exact_readings, 0);
    (void)started_kill(pid, NULL);
}

static int go[2];  // a pipe: closed, the children take what they have shared

static void share_until_told(void)
{
    enum { SIZE = LIMIT / 2 };
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, SIZE);
    for (int i = 0; i < 3; i++) {
        if (started_fork() == 0) {
            char end;
            (void)close(go[1]);
            (void)read(go[0], &end, 1);
            memset(memory, 2, SIZE);  // now it is its own
            started_wait();
        }
    }
    (void)close(go[1]);
    started_is_ready();
}

/** As servers do that load everything and then fork. */
static void pages_that_children_share_count_once(void **state)
{
    (void)state;
    int64_t exact;
    if (!__real_process_usage_read_exact(getpid(), PROCESS_USAGE_TREE, &exact)) {
        skip();
    }
    assert_int_equal(pipe(go), 0);
    int64_t now_us = CLOCK_US_PER_S;
    clock_fake(now_us, 1);
    pid_t pid = started_new(share_until_told);
    watch(pid, LIMIT, 0);
    while (exact_readings == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    wait_for_looks(2);
    assert_int_equal(exact_readings, 1);  // until a second has passed, or the estimate grows
    assert_int_equal(over, 0);
    (void)close(go[1]);
    while (over == 0) {
        now_us += CLOCK_US_PER_S;
        clock_fake(now_us, 1);
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_in_range(exact_readings, 2, 1000);
    (void)started_kill(pid, NULL);
    (void)close(go[0]);
}

static void leave_an_orphan_that_is_large(void)
{
    pid_t child = started_fork();
    if (child == 0) {
        if (started_fork() == 0) {
            started_take_memory(LIMIT * 2);
            started_is_ready();
            started_wait();
        }
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
}

static void an_orphan_is_found_within_five_seconds(void **state)
{
    (void)state;
    clock_fake(CLOCK_US_PER_S, 1);
    pid_t pid = started_new(leave_an_orphan_that_is_large);
    watch(pid, LIMIT, 0);
    wait_for_looks(2);
    assert_int_equal(over, 0);
    clock_fake(6 * CLOCK_US_PER_S, 1);
    wait_for_looks(1);
    assert_int_equal(over, 1);
    (void)started_kill(pid, NULL);
}

/* ---- processor ---- */

static void be_busy(void)
{
    started_is_ready();
    started_use_cpu(0);
}

static void run_until_held(pid_t pid)
{
    while (started_state(pid) != 'T') {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

static void run_until_continued(pid_t pid)
{
    while (started_state(pid) == 'T') {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

/** By the kernel's count of its processor time. That a busy machine gives it less is no fault. */
static void a_busy_process_gets_no_more_than_its_share(void **state)
{
    (void)state;
    int64_t start_us = clock_now_us();
    pid_t pid = started_new(be_busy);
    watch(pid, 0, SHARE);
    while (clock_now_us() - start_us < SHARE_MS * CLOCK_US_PER_MS) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    run_until_continued(pid);  // no debt is left
    long used_us;
    int64_t took_us = clock_now_us() - start_us;
    (void)started_kill(pid, &used_us);
    assert_in_range(used_us, 10000, took_us * SHARE / 1000 * 3 / 2 + 100000);
}

static void it_is_held_and_continued(void **state)
{
    (void)state;
    pid_t pid = started_new(be_busy);
    watch(pid, LIMIT, LITTLE);
    run_until_held(pid);
    run_until_continued(pid);
    (void)started_kill(pid, NULL);
    assert_int_equal(over, 0);
}

static void the_end_continues_it_so_that_it_sees_a_signal(void **state)
{
    (void)state;
    pid_t pid = started_new(be_busy);
    watch(pid, 0, LITTLE);
    run_until_held(pid);
    process_limits_stop(TAKE(limits));
    assert_int_not_equal(started_state(pid), 'T');
    assert_int_equal(kill(pid, SIGTERM), 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void a_process_that_is_gone_is_no_fault(void **state)
{
    (void)state;
    pid_t pid = started_new(be_busy);
    watch(pid, LIMIT, LITTLE);
    run_until_held(pid);
    (void)started_kill(pid, NULL);
    wait_for_looks(2);
    process_limits_stop(TAKE(limits));
    process_limits_stop(NULL);
    assert_int_equal(over, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_process_that_grows_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(children_that_grow_count_together, setup, teardown),
        cmocka_unit_test_setup_teardown(without_exact_readings_the_estimate_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_modest_process_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_that_children_share_count_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_orphan_is_found_within_five_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_busy_process_gets_no_more_than_its_share, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_held_and_continued, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_continues_it_so_that_it_sees_a_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_that_is_gone_is_no_fault, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
