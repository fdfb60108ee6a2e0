// bridge/endpoints/process/process_usage: real processes with children, threads and orphans.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/endpoints/process/process_usage.h"
#include "started.h"

enum { MIB = 1 << 20, TAKEN = 32 * MIB, CPU_MS = 60, CPU_US = CPU_MS * 1000, STEP_US = 10000 };

static struct process_usage usage_of(pid_t pid, enum process_usage_scope scope)
{
    struct process_usage usage;
    assert_true(process_usage_read(pid, scope, &usage));
    return usage;
}

static void be_idle(void)
{
    (void)prctl(PR_SET_NAME, ") S 1 (%d");  // any name
    started_is_ready();
}

static void be_large(void)
{
    started_take_memory(TAKEN);
    started_is_ready();
}

static void fork_large(void)
{
    if (started_fork() == 0) {
        be_large();
        started_wait();
    }
}

static void *fork_large_in_thread(void *unused)
{
    fork_large();
    return unused;
}

/** The thread stays, with its child. */
static void *fork_large_and_wait(void *unused)
{
    (void)fork_large_in_thread(unused);
    started_wait();
}

static void fork_from_a_thread(void)
{
    pthread_t thread;
    (void)pthread_create(&thread, NULL, fork_large_and_wait, NULL);
}

/** The child's child is large; the child ends, or leaves the session before. */
static void leave_an_orphan(void)
{
    pid_t child = started_fork();
    if (child == 0) {
        fork_large();
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
}

static void fork_a_session(void)
{
    if (started_fork() == 0) {
        (void)setsid();  // started_kill does not reach it
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_large();
        started_wait();
    }
}

static int64_t idle_bytes(void)
{
    pid_t pid = started_new(be_idle);
    struct process_usage usage = usage_of(pid, PROCESS_USAGE_TREE);
    assert_int_equal(usage.processes, 1);
    (void)started_kill(pid, NULL);
    return usage.resident_bytes;
}

static void check_large(void (*run)(void), enum process_usage_scope scope, int processes)
{
    int64_t idle = idle_bytes();
    pid_t pid = started_new(run);
    struct process_usage usage = usage_of(pid, scope);
    int64_t exact = 0;
    bool is_exact = process_usage_read_exact(pid, scope, &exact);
    (void)started_kill(pid, NULL);
    assert_int_equal(usage.processes, processes);
    assert_in_range(usage.resident_bytes, TAKEN + idle / 8, TAKEN + processes * idle + 4 * MIB);
    if (is_exact) {  // the kernel may hide it
        assert_in_range(exact, TAKEN, TAKEN + processes * idle);
    }
}

static void memory_of_a_process(void **state)
{
    (void)state;
    check_large(be_large, PROCESS_USAGE_TREE, 1);
    check_large(be_large, PROCESS_USAGE_SESSION, 1);
}

static void memory_of_a_child(void **state)
{
    (void)state;
    check_large(fork_large, PROCESS_USAGE_TREE, 2);
    check_large(fork_large, PROCESS_USAGE_SESSION, 2);
}

static void memory_of_a_child_that_a_thread_started(void **state)
{
    (void)state;
    check_large(fork_from_a_thread, PROCESS_USAGE_TREE, 2);
}

static void memory_of_a_child_with_a_session_of_its_own(void **state)
{
    (void)state;
    check_large(fork_a_session, PROCESS_USAGE_TREE, 2);
    check_large(fork_a_session, PROCESS_USAGE_SESSION, 2);
}

static void an_orphan_is_a_member_of_the_session_only(void **state)
{
    (void)state;
    check_large(leave_an_orphan, PROCESS_USAGE_SESSION, 2);
    pid_t pid = started_new(leave_an_orphan);
    assert_int_equal(usage_of(pid, PROCESS_USAGE_TREE).processes, 1);
    (void)started_kill(pid, NULL);
}

static void share_memory(void)
{
    started_take_memory(TAKEN);
    for (int i = 0; i < 3; i++) {
        if (started_fork() == 0) {
            started_wait();
        }
    }
    started_is_ready();
}

static void pages_shared_since_the_fork_count_once_when_it_is_exact(void **state)
{
    (void)state;
    int64_t idle = idle_bytes();
    pid_t pid = started_new(share_memory);
    int64_t exact;
    bool is_exact = process_usage_read_exact(pid, PROCESS_USAGE_TREE, &exact);
    struct process_usage usage = usage_of(pid, PROCESS_USAGE_TREE);
    (void)started_kill(pid, NULL);
    assert_in_range(usage.resident_bytes, 4 * TAKEN, 4 * (TAKEN + idle));
    if (!is_exact) {
        skip();
    }
    assert_in_range(exact, TAKEN, TAKEN + 4 * idle);
}

static void use_cpu_in_a_child_that_ends(void)
{
    pid_t child = started_fork();
    if (child == 0) {
        started_use_cpu(CPU_MS);
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
    started_is_ready();
}

static void use_cpu_in_both(void)
{
    if (started_fork() == 0) {
        started_use_cpu(CPU_MS);
        started_is_ready();
        started_wait();
    }
    started_use_cpu(CPU_MS);
    started_is_ready();
}

static void cpu_of_a_child_that_was_waited_for(void **state)
{
    (void)state;
    pid_t pid = started_new(use_cpu_in_a_child_that_ends);
    struct process_usage usage = usage_of(pid, PROCESS_USAGE_TREE);
    (void)started_kill(pid, NULL);
    assert_in_range(usage.cpu_us, CPU_US - 2 * STEP_US, 10 * CPU_US);
}

static void cpu_of_a_process_and_its_child(void **state)
{
    (void)state;
    pid_t pid = started_new(use_cpu_in_both);
    struct process_usage usage;
    do {
        usage = usage_of(pid, PROCESS_USAGE_TREE);  // one of them may still be at it
    } while (usage.cpu_us < 2 * (CPU_US - 2 * STEP_US));
    (void)started_kill(pid, NULL);
    assert_in_range(usage.cpu_us, 2 * (CPU_US - 2 * STEP_US), 10 * CPU_US);
}

static void a_process_that_is_gone(void **state)
{
    (void)state;
    pid_t pid = started_new(be_idle);
    (void)started_kill(pid, NULL);
    struct process_usage usage;
    int64_t exact;
    assert_false(process_usage_read(pid, PROCESS_USAGE_TREE, &usage));
    assert_false(process_usage_read(pid, PROCESS_USAGE_SESSION, &usage));
    assert_false(process_usage_read_exact(pid, PROCESS_USAGE_TREE, &exact));
}

static void fork_many(void)
{
    for (int i = 0; i < 300; i++) {
        if (started_fork() == 0) {
            started_wait();
        }
    }
    started_is_ready();
}

static void more_children_than_one_read_has(void **state)
{
    (void)state;
    pid_t pid = started_new(fork_many);
    assert_int_equal(usage_of(pid, PROCESS_USAGE_TREE).processes, 301);
    (void)started_kill(pid, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of_a_process),
        cmocka_unit_test(memory_of_a_child),
        cmocka_unit_test(memory_of_a_child_that_a_thread_started),
        cmocka_unit_test(memory_of_a_child_with_a_session_of_its_own),
        cmocka_unit_test(an_orphan_is_a_member_of_the_session_only),
        cmocka_unit_test(pages_shared_since_the_fork_count_once_when_it_is_exact),
        cmocka_unit_test(cpu_of_a_child_that_was_waited_for),
        cmocka_unit_test(cpu_of_a_process_and_its_child),
        cmocka_unit_test(a_process_that_is_gone),
        cmocka_unit_test(more_children_than_one_read_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
