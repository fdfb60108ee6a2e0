#include "bridge/config/process_user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TEXTS_BYTES = 1024, TEXTS_BYTES_MAX = 1024 * 1024 };

/** One look-up by name, or by number when `name` is NULL. */
static bool look_up(const char *name, uid_t uid, struct process_user *ret)
{
    for (size_t size = TEXTS_BYTES; size <= TEXTS_BYTES_MAX; size *= 2) {
        CLEANUP(memory_free_pointer) char *texts = memory_new(size);
        struct passwd entry;
        struct passwd *found = NULL;
        int code = name != NULL ? getpwnam_r(name, &entry, texts, size, &found)
                                : getpwuid_r(uid, &entry, texts, size, &found);
        if (code == ERANGE) {
            continue;
        }
        if (found != NULL) {
            *ret = (struct process_user){memory_string(found->pw_name), memory_string(found->pw_dir),
                                         found->pw_uid, found->pw_gid};
        }
        return found != NULL;
    }
    return false;
}

static bool read_number(const char *user, uid_t *ret)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(user, &end, 10);
    *ret = (uid_t)number;
    return user[0] >= '0' && user[0] <= '9' && *end == '\0' && errno == 0 && number < UINT32_MAX;
}

bool process_user_find(const char *user, struct process_user *ret)
{
    uid_t uid;
    *ret = (struct process_user){0};
    if (user == NULL) {
        return look_up(NULL, geteuid(), ret);
    }
    return look_up(user, 0, ret) || (read_number(user, &uid) && look_up(NULL, uid, ret));
}

struct groups {
    gid_t *items;
    int count;
};

static struct groups groups_of(const struct process_user *u)
{
    struct groups ret = {NULL, 0};
    (void)getgrouplist(u->name, u->gid, NULL, &ret.count);
    ret.items = memory_zeroed((size_t)ret.count + 1, sizeof(*ret.items));
    (void)getgrouplist(u->name, u->gid, ret.items, &ret.count);
    return ret;
}

static struct groups own_groups(void)
{
    int count = getgroups(0, NULL);
    INVARIANT(count >= 0);
    gid_t *items = memory_zeroed((size_t)count + 1, sizeof(*items));
    INVARIANT(getgroups(count, items) == count);
    return (struct groups){items, count};
}

/** The system call is about this thread; setgroups(3) would change all. */
static bool set_groups(const struct groups *groups)
{
    return syscall(SYS_setgroups, (size_t)groups->count, groups->items) == 0;
}

/** The current ones; setfsuid(2) changes nothing for a number that is none. */
static uid_t file_uid(void)
{
    return (uid_t)setfsuid((uid_t)-1);
}

static int own_access(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 ? 0 : errno;
}

int process_user_access(const struct process_user *u, const char *path, int mode)
{
    if (geteuid() != 0 || u->uid == 0) {
        return own_access(path, mode);
    }
    struct groups own = own_groups();
    struct groups groups = groups_of(u);
    int ret = own_access(path, mode);
    if (ret == 0 && set_groups(&groups)) {
        (void)setfsgid(u->gid);
        (void)setfsuid(u->uid);
        if (file_uid() == u->uid) {  // a filter of system calls may forbid it
            ret = own_access(path, mode);
            (void)setfsuid(0);
            INVARIANT(file_uid() == 0);
        }
        (void)setfsgid(getegid());
        INVARIANT(set_groups(&own));
    }
    free(own.items);
    free(groups.items);
    return ret;
}

void process_user_clear(struct process_user *u)
{
    free(u->name);
    free(u->home);
    *u = (struct process_user){0};
}
