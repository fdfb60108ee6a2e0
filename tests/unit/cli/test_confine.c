// cli/confine: what a process sees of itself once it is confined, in a child for each case.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/confine.h"

enum { MEMORY = 256 * 1024 * 1024, RESERVED = 1024 * 1024 * 1024, WAIT_MS = 20000, LEFT_S = 40 };

typedef bool (*look)(void);

/** Confines a child and tells what `is_right` says there; its fault goes to `ret`. */
static bool confined(struct confinement c, look is_right, struct fault *ret)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    c.parent = c.parent == 0 ? getpid() : c.parent;
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        struct fault f = {0};
        bool is_done = confine(&c, &f);
        (void)write(STDOUT_FILENO, &f, sizeof(f));
        _exit(is_done && (is_right == NULL || is_right()) ? 0 : 1);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], ret, sizeof(*ret)), sizeof(*ret));
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

static bool has_limits(void)
{
    struct rlimit core;
    struct rlimit data;
    (void)getrlimit(RLIMIT_CORE, &core);
    (void)getrlimit(RLIMIT_DATA, &data);
    return core.rlim_max == 0 && data.rlim_cur == MEMORY + RESERVED && data.rlim_max == MEMORY + RESERVED;
}

static void limits_are_taken_for_good(void **state)
{
    (void)state;
    struct fault f;
    assert_true(confined((struct confinement){.memory_bytes = MEMORY}, has_limits, &f));
}

static bool is_alone(void)
{
    struct sigaction pipe_action;
    sigset_t mask;
    (void)sigaction(SIGPIPE, NULL, &pipe_action);
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    int death = 0;
    (void)prctl(PR_GET_PDEATHSIG, &death);
    return getsid(0) == getpid() && getpgrp() == getpid() && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
           pipe_action.sa_handler == SIG_DFL && sigismember(&mask, SIGUSR1) == 0 && death == SIGKILL;
}

static void nothing_of_the_parent_is_left(void **state)
{
    (void)state;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    sigset_t mask;
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
    struct fault f;
    bool is_right = confined((struct confinement){0}, is_alone, &f);
    (void)sigprocmask(SIG_UNBLOCK, &mask, NULL);
    assert_true(is_right);
}

static bool has_three_descriptors(void)
{
    for (int fd = 3; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) != -1) {
            return false;
        }
    }
    return fcntl(STDOUT_FILENO, F_GETFD) != -1;
}

static void other_descriptors_are_closed(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    struct fault f;
    assert_true(confined((struct confinement){0}, has_three_descriptors, &f));
    (void)close(fd);
}

static bool is_nobody(void)
{
    uid_t ids[3];
    (void)getresuid(&ids[0], &ids[1], &ids[2]);
    const struct passwd *nobody = getpwnam("nobody");
    gid_t groups[64];
    int count = getgroups(64, groups);
    for (int i = 0; i < count; i++) {
        if (groups[i] == 0) {
            return false;
        }
    }
    int death = 0;
    (void)prctl(PR_GET_PDEATHSIG, &death);
    int output = open("/dev/stdout", O_WRONLY);
    if (output < 0) {
        return false;
    }
    return ids[0] == nobody->pw_uid && ids[1] == nobody->pw_uid && ids[2] == nobody->pw_uid &&
           getgid() == nobody->pw_gid && setuid(0) != 0 && death == SIGKILL;
}

static void the_user_is_taken_with_its_groups_alone(void **state)
{
    (void)state;
    struct fault f;
    if (geteuid() == 0) {
        const gid_t root = 0;
        assert_int_equal(setgroups(1, &root), 0);
        assert_true(confined((struct confinement){.user = "nobody"}, is_nobody, &f));
        assert_true(confined((struct confinement){.user = "65534"}, is_nobody, &f));
    } else if (getpwuid(geteuid()) == NULL || strcmp(getpwuid(geteuid())->pw_name, "nobody") != 0) {
        assert_false(confined((struct confinement){.user = "nobody"}, NULL, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        assert_non_null(strstr(f.text, "only root may start a function as user \"nobody\""));
    }
}

static void check_refused(struct confinement c, enum fault_kind kind, const char *text)
{
    struct fault f;
    assert_false(confined(c, NULL, &f));
    assert_int_equal(f.kind, kind);
    assert_string_equal(f.text, text);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    check_refused((struct confinement){.user = "no-such-user"}, FAULT_CONFIG,
                  "there is no user \"no-such-user\" on this machine");
    check_refused((struct confinement){.user = "root"}, FAULT_CONFIG,
                  "a function can't run as root: name another user");
    check_refused((struct confinement){.user = "0"}, FAULT_CONFIG,
                  "a function can't run as root: name another user");
    check_refused((struct confinement){.directory = "/nowhere"}, FAULT_CONFIG,
                  "directory /nowhere: No such file or directory");
    check_refused((struct confinement){.parent = getppid()}, FAULT_FATAL,
                  "the process that started this function is gone");
}

/** A parent that confines a child, says so and is killed: the pipe that both hold ends when both are gone. */
static void the_process_dies_with_its_parent(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        pid_t self = getpid();
        if (fork() == 0) {
            (void)dup2(ends[1], STDOUT_FILENO);
            struct fault f = {0};
            const struct confinement c = {.parent = self};
            bool is_done = confine(&c, &f);
            (void)alarm(LEFT_S);  // where it does not die as it should
            (void)write(STDOUT_FILENO, is_done ? "y" : "n", 1);
            for (;;) {
                (void)pause();
            }
        }
        for (;;) {
            (void)pause();
        }
    }
    (void)close(ends[1]);
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    char said = 0;
    assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    assert_int_equal(read(ends[0], &said, 1), 1);
    assert_int_equal(said, 'y');
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    assert_int_equal(read(ends[0], &said, 1), 0);
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_taken_for_good),
        cmocka_unit_test(nothing_of_the_parent_is_left),
        cmocka_unit_test(other_descriptors_are_closed),
        cmocka_unit_test(the_user_is_taken_with_its_groups_alone),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(the_process_dies_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
