#include "cli/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bridge/config/process_user.h"

enum { FIRST_OTHER_FD = 3, OUTPUT_MODE = 0622 };

/** What a process may reserve beyond the memory that it may use: Node.js counts 560 MiB, and uses 40. */
#define RESERVED_BYTES (INT64_C(1) << 30)

static bool refuse(struct fault *f, const char *step)
{
    return fault_from(f, FAULT_FATAL, "errno", errno, "can't %s: %s", step, strerror(errno));
}

static bool limit(int resource, rlim_t most, const char *step, struct fault *f)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0) {
        return refuse(f, step);
    }
    // A hard limit that is lower already can't be raised, and need not be.
    const struct rlimit wanted = {most < now.rlim_max ? most : now.rlim_max,
                                  most < now.rlim_max ? most : now.rlim_max};
    return setrlimit((__rlimit_resource_t)resource, &wanted) == 0 || refuse(f, step);
}

static bool take_limits(const struct confinement *c, struct fault *f)
{
    if (!limit(RLIMIT_CORE, 0, "turn core dumps off", f)) {
        return false;
    }
    // Not RLIMIT_AS: Node and Go reserve far more address space than they use.
    return c->memory_bytes == 0 ||
           limit(RLIMIT_DATA, (rlim_t)(c->memory_bytes + RESERVED_BYTES), "limit its memory", f);
}

/** /proc/self/fd/2 of a pipe can be opened, as /dev/stderr, only with a right to write to the pipe. Who may
 * look into that folder is a process of the user alone. Not fchown: that needs CAP_CHOWN. */
static void open_output(void)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat about;
        if (fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode)) {
            (void)fchmod(fd, OUTPUT_MODE);
        }
    }
}

static bool take_user(const char *user, struct fault *f)
{
    struct process_user found CLEANUP(process_user_clear) = {0};
    if (!process_user_find(user, &found)) {
        return fault_set(f, FAULT_CONFIG, "there is no user \"%s\" on this machine", user);
    }
    if (found.uid == 0) {
        return fault_set(f, FAULT_CONFIG, "a function can't run as root: name another user");
    }
    if (geteuid() == found.uid && getuid() == found.uid) {
        return true;
    }
    if (geteuid() != 0) {
        return fault_set(f, FAULT_CONFIG,
                         "only root may start a function as user \"%s\": leave `user` out, or "
                         "run millrace as that user",
                         user);
    }
    open_output();
    if (initgroups(found.name, found.gid) != 0 || setresgid(found.gid, found.gid, found.gid) != 0 ||
        setresuid(found.uid, found.uid, found.uid) != 0) {
        int code = errno;
        return fault_from(f, FAULT_CONFIG, "errno", code, "can't become user \"%s\": %s", user,
                          strerror(code));
    }
    INVARIANT(setuid(0) != 0);  // there is no way back
    return true;
}

/** The kernel forgets the signal at a change of the user, so this comes after it. */
static bool die_with(pid_t parent, struct fault *f)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        return refuse(f, "ask for a signal when the bridge ends");
    }
    if (getppid() != parent) {  // it died before the call
        return fault_set(f, FAULT_FATAL, "the process that started this function is gone");
    }
    return true;
}

/** Ignored signals and the mask would be inherited. */
static void reset_signals(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &standard, NULL);  // SIGKILL and SIGSTOP have no other
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/** Closes all but standard input, output and error. */
static void close_others(void)
{
    if (syscall(SYS_close_range, (unsigned)FIRST_OTHER_FD, ~0U, 0U) == 0) {
        return;
    }
    long most = sysconf(_SC_OPEN_MAX);  // Linux before 5.9
    for (int fd = FIRST_OTHER_FD; fd < most; fd++) {
        (void)close(fd);
    }
}

bool confine(const struct confinement *c, struct fault *f)
{
    if (setsid() == -1 && getsid(0) != getpid()) {
        return refuse(f, "begin a session of its own");
    }
    if (!take_limits(c, f) || (c->user != NULL && !take_user(c->user, f))) {
        return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return refuse(f, "give up new privileges");
    }
    if (!die_with(c->parent, f)) {
        return false;
    }
    // As the user: what it can't enter, the function could not read.
    if (c->directory != NULL && chdir(c->directory) != 0) {
        int code = errno;
        return fault_from(f, FAULT_CONFIG, "errno", code, "directory %s: %s", c->directory, strerror(code));
    }
    reset_signals();
    close_others();
    return true;
}
