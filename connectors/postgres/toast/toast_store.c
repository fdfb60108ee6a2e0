// Four databases of an LMDB environment, with keys in big-endian order:
//
//   versions  table 4, row 24, column 2, ~lsn 8, ~index 8    form 1, the value
//   log       lsn 8, index 8, table 4, row 24, column 2      empty
//   definitions  table 4, column 2                           struct toast_definition
//   about     "session"                                      struct about
//
// The newest version of a value is the first of its prefix. The log has a version's key in the order of
// positions, until the versions before it were removed.
//
// One write transaction is open from the first call to the commit. LMDB's own locks are off: a file lock
// keeps other processes out, and a lock that a stopped process holds would block the loop.
#include "connectors/postgres/toast/toast_store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PREFIX_SIZE = 4 + TOAST_ROW_SIZE + 2,
    POSITION_SIZE = 16,
    DEFINITION_SIZE = 4 + 2,
    KEY_SIZE = PREFIX_SIZE + POSITION_SIZE,
    REMOVALS_MIN = 4096,  // log entries handled by one commit
    DATABASES = 4,
};
#define MAP_MAX ((size_t)1 << 42)  // halved until the address space has room
#define MAP_MIN ((size_t)1 << 28)

struct about {
    char identity[TOAST_IDENTITY_MAX];
    uint64_t position;
    uint32_t timeline;
    uint32_t format;
    uint32_t lacks_rows;  // 1 or 0
    uint32_t reserved;
};
enum { FORMAT = 1 };

struct toast_store {
    char *directory;
    int lock;
    MDB_env *env;
    MDB_txn *txn;  // NULL: none is open
    MDB_cursor *versions_cursor;
    MDB_cursor *log_cursor;
    MDB_dbi versions;
    MDB_dbi log;
    MDB_dbi definitions;
    MDB_dbi about_dbi;
    struct about about;
    struct bytes scratch;
    size_t pending;
    size_t puts;  // since the last commit
};

// --- faults ---

static bool fail(const struct toast_store *s, int code, const char *what, struct fault *f)
{
    return fault_from(
        f, FAULT_RETRY, "lmdb", code,
        "the store of toast: complete in %s: %s: %s; nothing is confirmed to the database until "
        "it can be written",
        s->directory, what, mdb_strerror(code));
}

static void drop_transaction(struct toast_store *s)
{
    if (s->txn != NULL) {
        mdb_txn_abort(TAKE(s->txn));
        s->versions_cursor = s->log_cursor = NULL;  // freed with it
    }
    s->pending = s->puts = 0;
}

// A transaction that met an error can only be dropped.
static bool fail_transaction(struct toast_store *s, int code, const char *what, struct fault *f)
{
    drop_transaction(s);
    return fail(s, code, what, f);
}

static bool begin_transaction(struct toast_store *s, struct fault *f)
{
    if (s->txn != NULL) {
        return true;
    }
    int code = mdb_txn_begin(s->env, NULL, 0, &s->txn);
    if (code != 0) {
        s->txn = NULL;
        return fail(s, code, "beginning a transaction", f);
    }
    code = mdb_cursor_open(s->txn, s->versions, &s->versions_cursor);
    if (code == 0) {
        code = mdb_cursor_open(s->txn, s->log, &s->log_cursor);
    }
    return code == 0 || fail_transaction(s, code, "beginning a transaction", f);
}

// --- keys ---

static uint8_t *write_u64(uint8_t *at, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        at[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    return at + 8;
}

static uint64_t read_u64(const uint8_t *at)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

static uint8_t *write_prefix(uint8_t *at, const struct toast_key *key)
{
    for (int i = 0; i < 4; i++) {
        *at++ = (uint8_t)(key->table >> (24 - 8 * i));
    }
    memcpy(at, key->row, TOAST_ROW_SIZE);
    at += TOAST_ROW_SIZE;
    *at++ = (uint8_t)(key->column >> 8);
    *at++ = (uint8_t)key->column;
    return at;
}

static void write_version_key(uint8_t *ret, const struct toast_key *key, struct toast_position position)
{
    uint8_t *at = write_prefix(ret, key);
    at = write_u64(at, ~position.lsn);
    (void)write_u64(at, ~position.index);
}

static struct toast_position position_of_version(const uint8_t *key)
{
    return (struct toast_position){~read_u64(key + PREFIX_SIZE), ~read_u64(key + PREFIX_SIZE + 8)};
}

static bool has_prefix(const MDB_val *key, const uint8_t *prefix)
{
    return key->mv_size == KEY_SIZE && memcmp(key->mv_data, prefix, PREFIX_SIZE) == 0;
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
        (void)mdb_env_set_maxdbs(s->env, DATABASES);
        (void)mdb_env_set_mapsize(s->env, size);
        code = mdb_env_open(s->env, s->directory, MDB_NOLOCK | MDB_NORDAHEAD | MDB_NOTLS, 0600);
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
    } databases[DATABASES] = {{"versions", &s->versions},
                              {"log", &s->log},
                              {"definitions", &s->definitions},
                              {"about", &s->about_dbi}};
    for (size_t i = 0; code == 0 && i < DATABASES; i++) {
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

bool toast_store_open(const struct toast_store_params *params, struct toast_store **ret, struct fault *f)
{
    struct toast_store *s = memory_zeroed(1, sizeof(*s));
    s->directory = memory_string(params->directory);
    s->lock = -1;
    if (!make_directory(s->directory, f) || !lock_directory(s, f)) {
        toast_store_close(s);
        return false;
    }
    int code = open_map(s, params->map_size);
    if (code == 0) {
        code = open_databases(s);
    }
    if (code == 0) {
        code = read_about(s);
    }
    if (code != 0) {
        (void)fail(s, code, "opening it", f);
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
    drop_transaction(s);
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

// --- sessions ---

// Commits, and only then takes over what is said of the store.
static bool commit_with(struct toast_store *s, struct about about, struct fault *f)
{
    char name[] = "session";
    MDB_val key = {sizeof(name) - 1, name};
    MDB_val value = {sizeof(about), &about};
    int code = mdb_put(s->txn, s->about_dbi, &key, &value, 0);
    if (code != 0) {
        return fail_transaction(s, code, "writing the position", f);
    }
    s->versions_cursor = s->log_cursor = NULL;  // freed by the commit
    code = mdb_txn_commit(TAKE(s->txn));
    s->pending = s->puts = 0;
    if (code != 0) {
        return fail(s, code, "committing", f);
    }
    s->about = about;
    return true;
}

static bool remove_all(struct toast_store *s, struct fault *f)
{
    int code = mdb_drop(s->txn, s->versions, 0);
    if (code == 0) {
        code = mdb_drop(s->txn, s->log, 0);
    }
    if (code == 0) {
        code = mdb_drop(s->txn, s->definitions, 0);
    }
    return code == 0 || fail_transaction(s, code, "removing what it has", f);
}

// Reads all versions: those that a failover made void are rare, and may have left the log.
static bool remove_from(struct toast_store *s, uint64_t position, struct fault *f)
{
    MDB_val key;
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_FIRST);
    while (code == 0) {
        if (position_of_version(key.mv_data).lsn >= position) {
            code = mdb_cursor_del(s->versions_cursor, 0);
        }
        if (code == 0) {
            code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_NEXT);
        }
    }
    return code == MDB_NOTFOUND || fail_transaction(s, code, "removing what a failover made void", f);
}

bool toast_store_begin(struct toast_store *s, const struct toast_session *session, bool *ret_lacks_rows,
                       struct fault *f)
{
    drop_transaction(s);
    bool is_known = s->about.format == FORMAT && strcmp(s->about.identity, session->identity) == 0;
    bool is_whole = is_known && !session->is_new && session->position <= s->about.position;
    *ret_lacks_rows = !session->is_new && (!is_whole || s->about.lacks_rows == 1);
    if (!begin_transaction(s, f) || (!is_whole && !remove_all(s, f)) ||
        (is_whole && session->timeline != s->about.timeline && !remove_from(s, session->position, f))) {
        return false;
    }
    bool is_same_history = is_whole && session->timeline == s->about.timeline;
    struct about about = {.position = is_same_history ? s->about.position : session->position,
                          .timeline = session->timeline,
                          .format = FORMAT,
                          .lacks_rows = *ret_lacks_rows ? 1 : 0};
    (void)snprintf(about.identity, sizeof(about.identity), "%s", session->identity);
    return commit_with(s, about, f);
}

bool toast_store_filled(struct toast_store *s, struct fault *f)
{
    struct about about = s->about;
    about.lacks_rows = 0;
    return begin_transaction(s, f) && commit_with(s, about, f);
}

// --- versions ---

bool toast_store_put(struct toast_store *s, const struct toast_key *key, struct toast_position position,
                     struct toast_value value, struct fault *f)
{
    if (!begin_transaction(s, f)) {
        return false;
    }
    uint8_t version[KEY_SIZE];
    write_version_key(version, key, position);
    MDB_val version_key = {KEY_SIZE, version};
    MDB_val room = {value.data.size + 1, NULL};
    int code = mdb_put(s->txn, s->versions, &version_key, &room, MDB_RESERVE);
    if (code != 0) {
        return fail_transaction(s, code, "writing a value", f);
    }
    uint8_t *at = room.mv_data;
    *at = (uint8_t)value.form;
    if (value.data.size > 0) {
        memcpy(at + 1, value.data.data, value.data.size);
    }
    uint8_t entry[KEY_SIZE];
    memcpy(write_u64(write_u64(entry, position.lsn), position.index), version, PREFIX_SIZE);
    MDB_val entry_key = {KEY_SIZE, entry};
    MDB_val nothing = {0, NULL};
    code = mdb_put(s->txn, s->log, &entry_key, &nothing, 0);
    s->pending += value.data.size + (size_t)2 * KEY_SIZE;
    s->puts++;
    return code == 0 || fail_transaction(s, code, "writing a value", f);
}

bool toast_store_get(struct toast_store *s, const struct toast_key *key, struct toast_position before,
                     struct toast_position since, struct toast_value *ret, struct fault *f)
{
    *ret = (struct toast_value){0};
    if (!begin_transaction(s, f)) {
        return false;
    }
    uint8_t from[KEY_SIZE];
    write_version_key(from, key, before);
    MDB_val found = {KEY_SIZE, from};
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &found, &value, MDB_SET_RANGE);
    // The version at the position itself was written when the stream was here before.
    if (code == 0 && found.mv_size == KEY_SIZE && memcmp(found.mv_data, from, KEY_SIZE) == 0) {
        code = mdb_cursor_get(s->versions_cursor, &found, &value, MDB_NEXT);
    }
    if (code == MDB_NOTFOUND) {
        return true;
    }
    if (code != 0) {
        return fail_transaction(s, code, "reading a value", f);
    }
    if (!has_prefix(&found, from) || toast_position_is_before(position_of_version(found.mv_data), since)) {
        return true;
    }
    const uint8_t *data = value.mv_data;
    *ret = (struct toast_value){(enum toast_form)data[0], slice_make(data + 1, value.mv_size - 1)};
    return true;
}

// --- definitions ---

static uint8_t *write_table_key(uint8_t *ret, uint32_t table)
{
    for (int i = 0; i < 4; i++) {
        *ret++ = (uint8_t)(table >> (24 - 8 * i));
    }
    return ret;
}

static void write_definition_key(uint8_t ret[DEFINITION_SIZE], uint32_t table, uint16_t column)
{
    uint8_t *at = write_table_key(ret, table);
    at[0] = (uint8_t)(column >> 8);
    at[1] = (uint8_t)column;
}

bool toast_store_get_definition(struct toast_store *s, uint32_t table, uint16_t column,
                                struct toast_definition *ret, struct fault *f)
{
    *ret = (struct toast_definition){0};
    if (!begin_transaction(s, f)) {
        return false;
    }
    uint8_t bytes[DEFINITION_SIZE];
    write_definition_key(bytes, table, column);
    MDB_val key = {sizeof(bytes), bytes};
    MDB_val value;
    int code = mdb_get(s->txn, s->definitions, &key, &value);
    if (code == 0 && value.mv_size == sizeof(*ret)) {
        memcpy(ret, value.mv_data, sizeof(*ret));
    }
    return code == 0 || code == MDB_NOTFOUND || fail_transaction(s, code, "reading a definition", f);
}

bool toast_store_put_definition(struct toast_store *s, uint32_t table, uint16_t column,
                                const struct toast_definition *value, struct fault *f)
{
    if (!begin_transaction(s, f)) {
        return false;
    }
    uint8_t bytes[DEFINITION_SIZE];
    write_definition_key(bytes, table, column);
    MDB_val key = {sizeof(bytes), bytes};
    struct toast_definition copy = *value;
    MDB_val data = {sizeof(copy), &copy};
    int code = mdb_put(s->txn, s->definitions, &key, &data, 0);
    return code == 0 || fail_transaction(s, code, "writing a definition", f);
}

bool toast_store_has_table(struct toast_store *s, uint32_t table, bool *ret, struct fault *f)
{
    *ret = false;
    if (!begin_transaction(s, f)) {
        return false;
    }
    uint8_t bytes[4];
    (void)write_table_key(bytes, table);
    MDB_val key = {sizeof(bytes), bytes};
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_SET_RANGE);
    *ret = code == 0 && memcmp(key.mv_data, bytes, sizeof(bytes)) == 0;
    return code == 0 || code == MDB_NOTFOUND || fail_transaction(s, code, "reading a table", f);
}

// --- commits ---

size_t toast_store_pending(const struct toast_store *s)
{
    return s->pending;
}

// The versions of the same value that come before this one: behind it in the order of keys. A version that
// says that the value is not known goes with them.
static int remove_replaced(const struct toast_store *s, const uint8_t *version)
{
    MDB_val key = {KEY_SIZE, (void *)(uintptr_t)version};
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_SET_RANGE);
    bool is_there = code == 0 && key.mv_size == KEY_SIZE && memcmp(key.mv_data, version, KEY_SIZE) == 0;
    if (!is_there) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    if (((const uint8_t *)value.mv_data)[0] == TOAST_ABSENT) {
        code = mdb_cursor_del(s->versions_cursor, 0);
    }
    while (code == 0) {
        code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_NEXT);
        if (code != 0 || !has_prefix(&key, version)) {
            break;
        }
        code = mdb_cursor_del(s->versions_cursor, 0);
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

static int remove_before(const struct toast_store *s, uint64_t oldest)
{
    size_t left = REMOVALS_MIN + 2 * s->puts;
    MDB_val entry;
    MDB_val nothing;
    int code = mdb_cursor_get(s->log_cursor, &entry, &nothing, MDB_FIRST);
    while (code == 0 && left-- > 0 && read_u64(entry.mv_data) < oldest) {
        const uint8_t *at = entry.mv_data;
        uint8_t version[KEY_SIZE];
        memcpy(version, at + POSITION_SIZE, PREFIX_SIZE);
        (void)write_u64(write_u64(version + PREFIX_SIZE, ~read_u64(at)), ~read_u64(at + 8));
        code = remove_replaced(s, version);
        if (code == 0) {
            code = mdb_cursor_del(s->log_cursor, 0);
        }
        if (code == 0) {
            code = mdb_cursor_get(s->log_cursor, &entry, &nothing, MDB_NEXT);
        }
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

bool toast_store_commit(struct toast_store *s, uint64_t position, uint64_t oldest, struct fault *f)
{
    if (!begin_transaction(s, f)) {
        return false;
    }
    int code = remove_before(s, oldest);
    if (code != 0) {
        return fail_transaction(s, code, "removing old values", f);
    }
    struct about about = s->about;
    about.position = position > about.position ? position : about.position;
    return commit_with(s, about, f);
}

size_t toast_store_count(const struct toast_store *s)
{
    MDB_txn *txn = s->txn;
    MDB_stat stat = {0};
    if (txn == NULL && mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn) != 0) {
        return 0;
    }
    (void)mdb_stat(txn, s->versions, &stat);
    if (txn != s->txn) {
        mdb_txn_abort(txn);
    }
    return stat.ms_entries;
}
