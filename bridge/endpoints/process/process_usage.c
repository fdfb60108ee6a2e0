#include "bridge/endpoints/process/process_usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"

enum {
    PATH_BYTES = 64,
    TEXT_BYTES = 4096,  // more than a line of stat, statm or smaps_rollup
    KIB = 1024,
};

struct pids {
    pid_t items[PROCESS_USAGE_MAX];
    int count;
};

/** What /proc/pid/stat says. */
struct stat_line {
    pid_t session;
    int64_t ticks;  // processor time, with that of the children that were waited for
    long threads;
};

static bool has_pid(const struct pids *pids, pid_t pid)
{
    for (int i = 0; i < pids->count; i++) {
        if (pids->items[i] == pid) {
            return true;
        }
    }
    return false;
}

static void add_pid(struct pids *pids, pid_t pid)
{
    if (pid > 0 && pids->count < PROCESS_USAGE_MAX && !has_pid(pids, pid)) {
        pids->items[pids->count++] = pid;
    }
}

/** 0: the name is not a number's. */
static pid_t pid_of(const char *name)
{
    char *end;
    long pid = strtol(name, &end, 10);
    return *end == '\0' && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/** The beginning of the file, as text; false: errno says why. */
static bool read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t count = read(fd, text, size - 1);
    int code = errno;
    (void)close(fd);
    errno = code;
    text[count < 0 ? 0 : count] = '\0';
    return count >= 0;
}

static bool read_text_of(pid_t pid, const char *name, char *text, size_t size)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
    return read_text(path, text, size);
}

static bool read_stat(pid_t pid, struct stat_line *ret)
{
    char text[TEXT_BYTES];
    if (!read_text_of(pid, "stat", text, sizeof(text))) {
        return false;
    }
    const char *name_end = strrchr(text, ')');  // a name may have any character
    unsigned long user;
    unsigned long system;
    long waited_user;
    long waited_system;
    if (name_end == NULL ||
        sscanf(name_end + 1, " %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %ld",
               &ret->session, &user, &system, &waited_user, &waited_system, &ret->threads) != 6) {
        return false;
    }
    ret->ticks = (int64_t)(user + system) + waited_user + waited_system;
    return true;
}

/** Adds the children that the thread started. False: the kernel has no such list, or the thread is gone. */
static bool add_children(struct pids *pids, pid_t pid, pid_t thread)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid, (long)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    char text[TEXT_BYTES];
    pid_t child = 0;  // its digits may be over two reads
    for (ssize_t count; (count = read(fd, text, sizeof(text))) > 0;) {
        for (ssize_t i = 0; i < count; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                child = child * 10 + (text[i] - '0');
            } else {
                add_pid(pids, child);
                child = 0;
            }
        }
    }
    (void)close(fd);
    return true;
}

static void add_children_of_threads(struct pids *pids, pid_t pid)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        pid_t thread = pid_of(entry->d_name);
        if (thread > 0) {
            (void)add_children(pids, pid, thread);
        }
    }
    (void)closedir(tasks);
}

static void add_session(struct pids *pids, pid_t leader)
{
    DIR *all = opendir("/proc");
    if (all == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(all)) != NULL;) {
        pid_t pid = pid_of(entry->d_name);
        struct stat_line line;
        if (pid > 0 && read_stat(pid, &line) && line.session == leader) {
            add_pid(pids, pid);
        }
    }
    (void)closedir(all);
}

static bool has_trees(void)
{
    static enum { UNKNOWN, ABSENT, PRESENT } trees;
    if (trees == UNKNOWN) {
        struct pids none = {.count = PROCESS_USAGE_MAX};
        trees = add_children(&none, getpid(), getpid()) ? PRESENT : ABSENT;
    }
    return trees == PRESENT;
}

/** Calls `visit` for each of the processes; false: there is none, or `visit` said so. */
static bool visit_all(pid_t leader, enum process_usage_scope scope,
                      bool (*visit)(pid_t pid, const struct stat_line *line, void *self), void *self)
{
    struct pids pids = {.items = {leader}, .count = 1};
    bool is_tree = has_trees();
    if (scope == PROCESS_USAGE_SESSION || !is_tree) {
        add_session(&pids, leader);
    }
    int found = 0;
    for (int i = 0; i < pids.count; i++) {  // grows meanwhile
        struct stat_line line;
        if (!read_stat(pids.items[i], &line)) {
            continue;
        }
        if (!visit(pids.items[i], &line, self)) {
            return false;
        }
        found++;
        if (is_tree && line.threads > 1) {
            add_children_of_threads(&pids, pids.items[i]);
        } else if (is_tree) {
            (void)add_children(&pids, pids.items[i], pids.items[i]);
        }
    }
    return found > 0;
}

struct sums {
    int64_t own_pages;
    int64_t shared_pages;  // the largest
    int64_t ticks;
    int processes;
};

static bool add_usage(pid_t pid, const struct stat_line *line, void *self)
{
    struct sums *sums = self;
    char text[TEXT_BYTES];
    long resident = 0;
    long shared = 0;
    if (read_text_of(pid, "statm", text, sizeof(text))) {
        (void)sscanf(text, "%*u %ld %ld", &resident, &shared);
    }
    sums->own_pages += resident - shared;
    sums->shared_pages = shared > sums->shared_pages ? shared : sums->shared_pages;
    sums->ticks += line->ticks;
    sums->processes++;
    return true;
}

bool process_usage_read(pid_t leader, enum process_usage_scope scope, struct process_usage *ret)
{
    struct sums sums = {0};
    if (!visit_all(leader, scope, add_usage, &sums)) {
        return false;
    }
    *ret = (struct process_usage){
        .resident_bytes = (sums.own_pages + sums.shared_pages) * sysconf(_SC_PAGESIZE),
        .cpu_us = sums.ticks * CLOCK_US_PER_S / sysconf(_SC_CLK_TCK),
        .processes = sums.processes,
    };
    return true;
}

static bool add_exact(pid_t pid, const struct stat_line *line, void *self)
{
    (void)line;
    int64_t *kib = self;
    char text[TEXT_BYTES];
    if (!read_text_of(pid, "smaps_rollup", text, sizeof(text))) {
        return errno == ENOENT || errno == ESRCH;  // it has ended
    }
    const char *found = strstr(text, "\nPss:");
    long size = 0;
    if (found != NULL && sscanf(found, " Pss: %ld kB", &size) == 1) {
        *kib += size;
    }
    return true;
}

bool process_usage_read_exact(pid_t leader, enum process_usage_scope scope, int64_t *ret_bytes)
{
    int64_t kib = 0;
    if (!visit_all(leader, scope, add_exact, &kib)) {
        return false;
    }
    *ret_bytes = kib * KIB;
    return true;
}
