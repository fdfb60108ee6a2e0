#include "bridge/config/process_user.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
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

void process_user_clear(struct process_user *u)
{
    free(u->name);
    free(u->home);
    *u = (struct process_user){0};
}
