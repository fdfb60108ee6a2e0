#include "cli/try/handler_user.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/try/try_process.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

enum { RUN_WAIT_S = 30 };

static bool take(const struct passwd *user, struct handler_user *ret)
{
    if (user == NULL || user->pw_uid == 0 || strlen(user->pw_name) >= sizeof ret->name) {
        return false;
    }
    (void)snprintf(ret->name, sizeof ret->name, "%s", user->pw_name);
    ret->uid = user->pw_uid;
    ret->gid = user->pw_gid;
    return true;
}

bool handler_user_runs(const struct handler_user *user, const char *const *argv)
{
    struct fault f;
    pid_t pid = 0;
    int status = 0;
    const struct try_process_spec spec = {
        .argv = argv,
        .directory = "/",
        .log_path = "/dev/null",
        .uid = user->name[0] == '\0' ? geteuid() : user->uid,
        .gid = user->name[0] == '\0' ? getegid() : user->gid,
        .death_signal = SIGKILL,
    };
    if (!try_process_start(&spec, &pid, &f)) {
        return false;
    }
    if (!try_process_wait(pid, RUN_WAIT_S * CLOCK_US_PER_S, &status, &f)) {
        try_process_end(pid, SIGKILL);
        return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool handler_user_reads(const struct handler_user *user, const char *path)
{
    CLEANUP(memory_free_pointer)
    char *folder = memory_format("%.*s", (int)(strrchr(path, '/') - path), path);
    const char *const argv[] = {
        "/bin/sh", "-c", "[ -r \"$0\" ] && [ -r \"$1/.\" ]", path, folder, NULL,
    };
    return handler_user_runs(user, argv);
}

bool handler_user_choose(const char *path, struct handler_user *ret, struct fault *f)
{
    struct handler_user user = {0};
    struct stat about;
    if (stat(path, &about) != 0) {
        return fault_from(f, FAULT_CONFIG, "errno", errno, "%s: %s", path, strerror(errno));
    }
    bool is_root = geteuid() == 0;
    if (is_root && !take(getpwuid(about.st_uid), &user) && !take(getpwnam("nobody"), &user)) {
        return fault_set(f, FAULT_CONFIG,
                         "a handler does not run as root, and there is no user nobody on this machine");
    }
    if (is_root && !handler_user_reads(&user, path)) {
        return fault_set(f, FAULT_CONFIG,
                         "%s: user %s can't read it, and a handler does not run as root; type: chmod -R o+rX "
                         "%.*s, or, below a closed folder such as /root, put it elsewhere",
                         path, user.name, (int)(strrchr(path, '/') - path), path);
    }
    *ret = user;
    return true;
}
