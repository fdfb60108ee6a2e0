#include "cli/try/try_process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { END_WAIT_S = 5, POLL_MS = 20, OUTPUT_BYTES_MAX = 65536, EXIT_NOT_STARTED = 127 };

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGCHLD);
}

void try_process_block_signals(void)
{
    sigset_t set;
    signal_set(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

void try_process_unblock_signals(void)
{
    sigset_t set;
    signal_set(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static bool drop_privileges(const struct try_process_spec *spec)
{
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setgid(spec->gid) == 0 && setuid(spec->uid) == 0);
}

static bool redirect_output(const char *log_path)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return null >= 0 && log >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
           dup2(log, STDERR_FILENO) >= 0;
}

// Runs between fork and exec, so it uses only async-signal-safe functions.
static void run_child(const struct try_process_spec *spec, pid_t parent)
{
    // A process group of its own: Ctrl-C must not reach the child, which the parent ends in its own order.
    setsid();
    try_process_unblock_signals();
    // Set the death signal after setuid, which clears it. The parent may have died before that: checked
    // below.
    bool is_ready = drop_privileges(spec) && chdir(spec->directory) == 0 && redirect_output(spec->log_path) &&
                    (spec->death_signal == 0 ||
                     (prctl(PR_SET_PDEATHSIG, spec->death_signal) == 0 && getppid() == parent));
    if (is_ready) {
        execvp(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
    }
    _exit(EXIT_NOT_STARTED);
}

bool try_process_start(const struct try_process_spec *spec, pid_t *ret, struct fault *f)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        return fault_from(f, FAULT_FATAL, "errno", errno, "can't start %s: %s", spec->argv[0],
                          strerror(errno));
    }
    if (pid == 0) {
        run_child(spec, parent);
    }
    *ret = pid;
    return true;
}

bool try_process_wait(pid_t pid, int64_t timeout_us, int *ret_status, struct fault *f)
{
    sigset_t set;
    signal_set(&set);
    int64_t until_us = clock_now_us() + timeout_us;
    for (;;) {
        int status = 0;
        pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended == pid) {
            *ret_status = status;
            return true;
        }
        if (ended < 0) {
            return fault_from(f, FAULT_FATAL, "errno", errno, "can't wait for process %d", (int)pid);
        }
        int64_t left_us = until_us - clock_now_us();
        if (left_us <= 0) {
            return fault_set(f, FAULT_RETRY, "process %d still runs", (int)pid);
        }
        int64_t wait_us = left_us < POLL_MS * CLOCK_US_PER_MS ? left_us : POLL_MS * CLOCK_US_PER_MS;
        int signal = sigtimedwait(&set, NULL, &(struct timespec){.tv_nsec = (long)wait_us * 1000});
        if (signal > 0 && signal != SIGCHLD) {
            return fault_set(f, FAULT_FATAL, "stopped by SIG%s", sigabbrev_np(signal));
        }
    }
}

void try_process_end(pid_t pid, int signal)
{
    if (pid <= 0) {
        return;
    }
    kill(pid, signal);
    int64_t until_us = clock_now_us() + END_WAIT_S * CLOCK_US_PER_S;
    // Signals don't end this wait: a second Ctrl-C must not leave the server running.
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (clock_now_us() > until_us) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
            break;
        }
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        sigtimedwait(&child, NULL, &(struct timespec){.tv_nsec = POLL_MS * 1000000L});
    }
    // Kill the whole group: initdb's child would still write into the folder that is about to be removed.
    kill(-pid, SIGKILL);
}

char *try_process_find_next(const char **path, const char *program)
{
    while (*path != NULL && **path != '\0') {
        size_t size = strcspn(*path, ":");
        CLEANUP(memory_free_pointer) char *candidate = memory_format("%.*s/%s", (int)size, *path, program);
        *path += size;
        *path += **path == ':';
        if (size > 0 && access(candidate, X_OK) == 0) {
            return TAKE(candidate);
        }
    }
    return NULL;
}

char *try_process_find(const char *program)
{
    const char *path = getenv("PATH");
    return try_process_find_next(&path, program);
}

bool try_process_output(const char *const *argv, struct bytes *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(ends[1], STDOUT_FILENO) >= 0) {
            execvp(argv[0], (char *const *)(uintptr_t)argv);
        }
        _exit(EXIT_NOT_STARTED);
    }
    close(ends[1]);
    while (pid > 0 && out->size < OUTPUT_BYTES_MAX) {
        ssize_t got = read(ends[0], bytes_reserve(out, 4096), 4096);
        if (got <= 0) {
            break;
        }
        out->size += (size_t)got;
    }
    close(ends[0]);
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

void try_process_remove_tree(const char *path)
{
    // A child of the server may still have written a file: a second pass removes what the first one missed.
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}
