// PR_SET_CHILD_SUBREAPER makes this process the parent of every descendant whose own parent has ended, so
// that none gets out of its sight; killing its children until there is none reaches them all. The kernel's
// signal at the parent's death is SIGCONT: it wakes a group that was stopped for its share of the processor.
#include "cli/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fault.h"

#define CHILDREN "/proc/thread-self/children"

enum { NUMBERS_BYTES = 4096 };

struct guard {
    pid_t parent;
    pid_t command;
    int status;  // of the command, once it has ended
    bool has_ended;
};

/* ---- the end ---- */

static void take_end(struct guard *g, pid_t pid, int status)
{
    if (pid == g->command) {
        g->status = status;
        g->has_ended = true;
    }
}

/** Kills those of the children whose numbers fit; the caller comes again. */
static void kill_children(void)
{
    char numbers[NUMBERS_BYTES];
    int fd = open(CHILDREN, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, numbers, sizeof(numbers) - 1);
    if (size <= 0) {
        (void)kill(0, SIGKILL);  // a kernel without the list: the group at least
        return;
    }
    (void)close(fd);
    numbers[size] = '\0';
    char *end = numbers;
    // A number that is cut off has no space behind it.
    for (long pid = strtol(end, &end, 10); pid > 0 && *end == ' '; pid = strtol(end, &end, 10)) {
        (void)kill((pid_t)pid, SIGKILL);
    }
}

static void end_all(struct guard *g)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == -1 && errno == ECHILD) {
            return;
        }
        if (pid == 0) {
            kill_children();
            pid = waitpid(-1, &status, 0);
        }
        take_end(g, pid, status);
    }
}

/** As the command ended. */
static int end_alike(const struct guard *g)
{
    if (WIFEXITED(g->status)) {
        return WEXITSTATUS(g->status);
    }
    int number = WTERMSIG(g->status);
    sigset_t one;
    (void)sigemptyset(&one);
    (void)sigaddset(&one, number);
    (void)sigprocmask(SIG_UNBLOCK, &one, NULL);
    (void)raise(number);
    return 128 + number;
}

/* ---- the watch ---- */

static void reap(struct guard *g)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        take_end(g, pid, status);
    }
}

/** Until the command has ended, the parent has, or SIGUSR1 came. */
static void watch(struct guard *g, const sigset_t *signals)
{
    for (int number = 0; !g->has_ended && number != SIGUSR1 && getppid() == g->parent;) {
        number = sigwaitinfo(signals, NULL);
        reap(g);
    }
}

/* ---- the start ---- */

/** A script is not found, too, when the program that its first line names is not. Source: execve(2), ENOENT.
 */
static void print_why(const char *program, int code)
{
    bool is_there = code == ENOENT && strchr(program, '/') != NULL && access(program, F_OK) == 0;
    const char *why =
        is_there ? "its first line (#!) names a program that is not there, or ends with a carriage return"
                 : strerror(code);
    (void)fprintf(stderr, "millrace: can't run %s: %s\n", program, why);
}

static int run(pid_t guard, char **command, const sigset_t *signals)
{
    (void)sigprocmask(SIG_UNBLOCK, signals, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == guard) {
        (void)execvp(command[0], command);
        print_why(command[0], errno);
    }
    return GUARD_NOT_FOUND;
}

int guard_run(pid_t parent, char **command)
{
    struct guard g = {.parent = parent};
    sigset_t signals;
    (void)sigfillset(&signals);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    // Dumpable: else /proc of a service (hidepid) hides it and its children from the bridge, which reads
    // there what they use. It knows no more than the function's environment.
    int failed =
        prctl(PR_SET_CHILD_SUBREAPER, 1) + prctl(PR_SET_PDEATHSIG, SIGCONT) + prctl(PR_SET_DUMPABLE, 1);
    INVARIANT(failed == 0);
    pid_t self = getpid();
    g.command = fork();
    if (g.command == 0) {
        _exit(run(self, command, &signals));
    }
    if (g.command == -1) {
        print_why(command[0], errno);
        return GUARD_NOT_FOUND;
    }
    watch(&g, &signals);
    end_all(&g);
    return end_alike(&g);
}
