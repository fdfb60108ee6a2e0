#include "started.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_S = 60 };

static int ready_fd;

pid_t started_fork(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)alarm(LIFE_S);
    }
    return pid;
}

pid_t started_new(void (*run)(void))
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t test = getpid();
    pid_t pid = started_fork();
    if (pid == 0) {
        (void)setsid();
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != test) {
            _exit(1);
        }
        ready_fd = ends[1];
        (void)close(ends[0]);
        run();
        started_wait();
    }
    (void)close(ends[1]);
    char ready;
    assert_int_equal(read(ends[0], &ready, 1), 1);
    (void)close(ends[0]);
    return pid;
}

void started_is_ready(void)
{
    (void)write(ready_fd, "r", 1);
}

void started_take_memory(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        _exit(1);
    }
    memset(memory, 1, bytes);
}

void started_use_cpu(long milliseconds)
{
    struct timespec used;
    do {
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    } while (milliseconds == 0 || used.tv_sec * 1000 + used.tv_nsec / 1000000 < milliseconds);
}

void started_wait(void)
{
    for (;;) {
        (void)pause();
    }
}

int started_kill(pid_t pid, long *ret_cpu_us)
{
    (void)kill(-pid, SIGKILL);
    struct rusage used;
    int status;
    assert_int_equal(wait4(pid, &status, 0, &used), pid);
    if (ret_cpu_us != NULL) {
        *ret_cpu_us = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
                      used.ru_stime.tv_usec;
    }
    return status;
}

char started_state(pid_t pid)
{
    char path[64];
    char state = 0;
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        (void)fscanf(file, "%*d (%*[^)]) %c", &state);
        (void)fclose(file);
    }
    return state;
}
