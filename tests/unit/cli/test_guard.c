// cli/guard: what a local function has started ends with it, with its guard's parent, and when the guard is
// asked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/guard.h"

enum { WAIT_S = 60 };

// A child, and one that has left the session and, soon, its parent. Both have the pipe, so that its end is
// theirs.
#define STARTS "sleep 1000 & (setsid sleep 1000 &) ; echo started; "

/** A guard in a process of its own, and the pipe that it and all of its descendants write to. */
struct guarded {
    pid_t pid;
    int output;
};

/** In a child: runs the script under a guard whose parent is this process. */
static pid_t start_guard(const char *script, int output)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)setsid();
        (void)dup2(output, STDOUT_FILENO);
        (void)close(output);
        char *command[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)script, NULL};
        _exit(guard_run(parent, command));
    }
    return pid;
}

static struct guarded start(const char *script)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct guarded g = {.pid = start_guard(script, ends[1]), .output = ends[0]};
    (void)close(ends[1]);
    return g;
}

/** The script has written a line. */
static void wait_started(const struct guarded *g)
{
    char byte = 0;
    while (byte != '\n') {
        assert_int_equal(read(g->output, &byte, 1), 1);
    }
}

/** Nobody has the pipe any more: all are gone. */
static void wait_gone(const struct guarded *g)
{
    char byte;
    assert_int_equal(read(g->output, &byte, 1), 0);
    (void)close(g->output);
}

static int wait_end(const struct guarded *g)
{
    int status;
    assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
    return status;
}

static void what_the_command_started_ends_with_it(void **state)
{
    (void)state;
    struct guarded g = start(STARTS "exit 5");
    wait_started(&g);
    int status = wait_end(&g);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);
    wait_gone(&g);
}

static void a_signal_that_ended_the_command_ends_the_guard(void **state)
{
    (void)state;
    struct guarded g = start(STARTS "kill -KILL $$");
    int status = wait_end(&g);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    wait_started(&g);
    wait_gone(&g);
}

static void sigusr1_ends_all(void **state)
{
    (void)state;
    struct guarded g = start(STARTS "trap '' TERM USR1 HUP INT; wait");
    wait_started(&g);
    assert_int_equal(kill(g.pid, SIGUSR1), 0);
    int status = wait_end(&g);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    wait_gone(&g);
}

static void sigterm_is_for_the_command(void **state)
{
    (void)state;
    struct guarded g = start("trap 'exit 3' TERM; " STARTS "wait");
    wait_started(&g);
    assert_int_equal(kill(-g.pid, SIGTERM), 0);
    int status = wait_end(&g);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    wait_gone(&g);
}

/** In a child: ends once all have started, while the guard and its group are stopped if they are to be. */
static void be_parent(int *ends, bool is_stopped)
{
    struct guarded g = {.pid = start_guard(STARTS "wait", ends[1]), .output = ends[0]};
    char byte = 0;
    while (byte != '\n' && read(g.output, &byte, 1) == 1) {}
    if (is_stopped) {
        int status;
        (void)kill(-g.pid, SIGSTOP);
        (void)waitpid(g.pid, &status, WUNTRACED);
    }
    _exit(0);
}

static void all_end_with_the_parent(void **state)
{
    (void)state;
    for (int is_stopped = 0; is_stopped <= 1; is_stopped++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t parent = fork();
        if (parent == 0) {
            be_parent(ends, is_stopped != 0);
        }
        (void)close(ends[1]);
        struct guarded g = {.pid = parent, .output = ends[0]};
        assert_int_equal(wait_end(&g), 0);
        wait_gone(&g);
    }
}

int main(void)
{
    (void)alarm(WAIT_S);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_command_started_ends_with_it),
        cmocka_unit_test(a_signal_that_ended_the_command_ends_the_guard),
        cmocka_unit_test(sigusr1_ends_all),
        cmocka_unit_test(sigterm_is_for_the_command),
        cmocka_unit_test(all_end_with_the_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
