// Opening and closing of the store: its directory, its lock and its file; its transaction and faults.
#include "connectors/postgres/toast/toast_store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"

#define MAP_MAX ((size_t)1 << 42)  // halved until the address space has room
#define MAP_MIN ((size_t)1 << 28)

// --- faults ---

bool toast_store_is_damage(int code)
{
    return code == MDB_CORRUPTED || code == MDB_INVALID || code == MDB_VERSION_MISMATCH ||
           code == MDB_PAGE_NOTFOUND || code == MDB_PANIC || code == MDB_INCOMPATIBLE;
}

// A file that is found damaged is removed, so that the next session begins anew.
bool toast_store_fail(const struct toast_store *s, int code, const char *what, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/data.mdb", s->directory);
    const char *then = toast_store_is_damage(code) && unlink(path) == 0
                           ? "it is removed, and its values are read from the database again"
                           : "nothing is confirmed to the database until it can be written";
    return fault_from(f, FAULT_RETRY, "lmdb", code, "the store of toast: complete in %s: %s: %s; %s",
                      s->directory, what, mdb_strerror(code), then);
}

void toast_store_drop_transaction(struct toast_store *s)
{
    if (s->txn != NULL) {
        mdb_txn_abort(TAKE(s->txn));
        s->versions_cursor = s->log_cursor = NULL;  // freed with it
    }
    s->pending = s->puts = 0;
}

// A transaction that met an error can only be dropped.
bool toast_store_fail_transaction(struct toast_store *s, int code, const char *what, struct fault *f)
{
    toast_store_drop_transaction(s);
    return toast_store_fail(s, code, what, f);
}

bool toast_store_begin_transaction(struct toast_store *s, struct fault *f)
{
    if (s->txn != NULL) {
        return true;
    }
    int code = mdb_txn_begin(s->env, NULL, 0, &s->txn);
    if (code != 0) {
        s->txn = NULL;
        return toast_store_fail(s, code, "beginning a transaction", f);
    }
    code = mdb_cursor_open(s->txn, s->versions, &s->versions_cursor);
    if (code == 0) {
        code = mdb_cursor_open(s->txn, s->log, &s->log_cursor);
    }
    return code == 0 || toast_store_fail_transaction(s, code, "beginning a transaction", f);
}

// --- opening ---

static bool make_directory(char *path, struct fault *f)
{
    for (char *slash = path + 1;; slash++) {
        if (*slash != '/' && *slash != '\0') {
            continue;
        }
        char kept = *slash;
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            int code = errno;
            return fault_from(
                f, FAULT_CONFIG, "errno", code,
                "the store of toast: complete needs a directory: mkdir %s: %s; create it for the "
                "user of millrace, or set state_directory in millrace.yaml",
                path, strerror(code));
        }
        *slash = kept;
        if (kept == '\0') {
            return true;
        }
    }
}

static bool lock_directory(struct toast_store *s, struct fault *f)
{
    char *path CLEANUP(memory_free_pointer) = memory_format("%s/lock", s->directory);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0) {
        int code = errno;
        return fault_from(
            f, FAULT_CONFIG, "errno", code,
            "the store of toast: complete can't be opened: %s: %s; give the user of millrace the "
            "right to write there, or set state_directory in millrace.yaml",
            path, strerror(code));
    }
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        int code = errno;
        return fault_from(f, FAULT_RETRY, "errno", code,
                          "the store of toast: complete in %s is in use by another process", s->directory);
    }
    return true;
}

// Whether the file has all pages that its newest transaction counts: a page behind its end is no error of
// LMDB, but a signal.
static bool is_long_enough(const struct toast_store *s)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int fd;
    return mdb_env_info(s->env, &info) == 0 && mdb_env_stat(s->env, &stat) == 0 &&
           mdb_env_get_fd(s->env, &fd) == 0 && fstat(fd, &file) == 0 &&
           (uint64_t)file.st_size >= ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

// The map takes address space only; a smaller one than the file is refused by LMDB.
static int open_map(struct toast_store *s, size_t map_size)
{
    int code;
    size_t size = map_size != 0 ? map_size : MAP_MAX;
    for (;; size /= 2) {
        code = mdb_env_create(&s->env);
        if (code != 0) {
            s->env = NULL;
            return code;
        }
        (void)mdb_env_set_maxdbs(s->env, TOAST_DATABASES);
        (void)mdb_env_set_mapsize(s->env, size);
        code = mdb_env_open(s->env, s->directory, MDB_NOLOCK | MDB_NORDAHEAD | MDB_NOTLS, 0600);
        if (code == 0 && !is_long_enough(s)) {
            code = MDB_CORRUPTED;
        }
        if (code != ENOMEM || size / 2 < MAP_MIN || map_size != 0) {
            return code;
        }
        mdb_env_close(TAKE(s->env));
    }
}

static int open_databases(struct toast_store *s)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (code != 0) {
        return code;
    }
    const struct {
        const char *name;
        MDB_dbi *ret;
    } databases[TOAST_DATABASES] = {{"versions", &s->versions},
                                    {"log", &s->log},
                                    {"definitions", &s->definitions},
                                    {"about", &s->about_dbi}};
    for (size_t i = 0; code == 0 && i < TOAST_DATABASES; i++) {
        code = mdb_dbi_open(txn, databases[i].name, MDB_CREATE, databases[i].ret);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static int read_about(struct toast_store *s)
{
    MDB_txn *txn;
    char name[] = "session";
    MDB_val key = {sizeof(name) - 1, name};
    MDB_val value;
    int code = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);
    if (code != 0) {
        return code;
    }
    code = mdb_get(txn, s->about_dbi, &key, &value);
    if (code == 0 && value.mv_size == sizeof(s->about)) {
        memcpy(&s->about, value.mv_data, sizeof(s->about));
    }
    mdb_txn_abort(txn);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int open_file(struct toast_store *s, size_t map_size)
{
    int code = open_map(s, map_size);
    if (code == 0) {
        code = open_databases(s);
    }
    return code == 0 ? read_about(s) : code;
}

// What it has can be read from the database again: a damaged file is removed.
static int begin_anew(struct toast_store *s, size_t map_size, int damage)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/data.mdb", s->directory);
    log_warn("toast", "toast_store_damaged", LOG_WITH(LOG_TEXT("path", path)),
             "%s is damaged (%s): it is removed, and the values are read from the database again", path,
             mdb_strerror(damage));
    if (s->env != NULL) {
        mdb_env_close(TAKE(s->env));
    }
    s->about = (struct toast_about){0};
    return unlink(path) == 0 ? open_file(s, map_size) : errno;
}

bool toast_store_open(const struct toast_store_params *params, struct toast_store **ret, struct fault *f)
{
    struct toast_store *s = memory_zeroed(1, sizeof(*s));
    s->directory = memory_string(params->directory);
    s->lock = -1;
    if (!make_directory(s->directory, f) || !lock_directory(s, f)) {
        toast_store_close(s);
        return false;
    }
    int code = open_file(s, params->map_size);
    if (toast_store_is_damage(code)) {
        code = begin_anew(s, params->map_size, code);
    }
    if (code != 0) {
        (void)toast_store_fail(s, code, "opening it", f);
        toast_store_close(s);
        return false;
    }
    *ret = s;
    return true;
}

void toast_store_close(struct toast_store *s)
{
    if (s == NULL) {
        return;
    }
    toast_store_drop_transaction(s);
    if (s->env != NULL) {
        mdb_env_close(s->env);
    }
    if (s->lock >= 0) {
        (void)close(s->lock);
    }
    bytes_clear(&s->scratch);
    free(s->directory);
    free(s);
}
