// Sessions and commits of the store: what is valid where the stream begins, and what can be removed.
#include "connectors/postgres/toast/toast_store_private.h"

#include <stdio.h>

enum { REMOVALS_MIN = 4096 };  // log entries handled by one commit

// --- sessions ---

// Commits, and only then takes over what is said of the store.
static bool commit_with(struct toast_store *s, struct toast_about about, struct fault *f)
{
    char name[] = "session";
    MDB_val key = {sizeof(name) - 1, name};
    MDB_val value = {sizeof(about), &about};
    int code = mdb_put(s->txn, s->about_dbi, &key, &value, 0);
    if (code != 0) {
        return toast_store_fail_transaction(s, code, "writing the position", f);
    }
    s->versions_cursor = s->log_cursor = NULL;  // freed by the commit
    code = mdb_txn_commit(TAKE(s->txn));
    s->pending = s->puts = 0;
    if (code != 0) {
        return toast_store_fail(s, code, "committing", f);
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
    return code == 0 || toast_store_fail_transaction(s, code, "removing what it has", f);
}

// Reads all versions: those that a failover made void are rare, and may have left the log.
static bool remove_from(struct toast_store *s, uint64_t position, struct fault *f)
{
    MDB_val key;
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_FIRST);
    while (code == 0) {
        if (toast_position_of_version(key.mv_data).lsn >= position) {
            code = mdb_cursor_del(s->versions_cursor, 0);
        }
        if (code == 0) {
            code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_NEXT);
        }
    }
    return code == MDB_NOTFOUND ||
           toast_store_fail_transaction(s, code, "removing what a failover made void", f);
}

bool toast_store_begin(struct toast_store *s, const struct toast_session *session, bool *ret_lacks_rows,
                       struct fault *f)
{
    toast_store_drop_transaction(s);
    bool is_known = s->about.format == TOAST_FORMAT && strcmp(s->about.identity, session->identity) == 0;
    bool is_whole = is_known && !session->is_new && session->position <= s->about.position &&
                    (session->timeline != s->about.timeline || s->about.position <= session->end);
    *ret_lacks_rows = !session->is_new && (!is_whole || s->about.lacks_rows == 1);
    if (!toast_store_begin_transaction(s, f) || (!is_whole && !remove_all(s, f)) ||
        (is_whole && session->timeline != s->about.timeline && !remove_from(s, session->position, f))) {
        return false;
    }
    bool is_same_history = is_whole && session->timeline == s->about.timeline;
    struct toast_about about = {.position = is_same_history ? s->about.position : session->position,
                                .timeline = session->timeline,
                                .format = TOAST_FORMAT,
                                .lacks_rows = *ret_lacks_rows ? 1 : 0};
    (void)snprintf(about.identity, sizeof(about.identity), "%s", session->identity);
    return commit_with(s, about, f);
}

bool toast_store_filled(struct toast_store *s, struct fault *f)
{
    struct toast_about about = s->about;
    about.lacks_rows = 0;
    return toast_store_begin_transaction(s, f) && commit_with(s, about, f);
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
    MDB_val key = {TOAST_KEY_SIZE, (void *)(uintptr_t)version};
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_SET_RANGE);
    bool is_there =
        code == 0 && key.mv_size == TOAST_KEY_SIZE && memcmp(key.mv_data, version, TOAST_KEY_SIZE) == 0;
    if (!is_there) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    if (((const uint8_t *)value.mv_data)[0] == TOAST_ABSENT) {
        code = mdb_cursor_del(s->versions_cursor, 0);
    }
    while (code == 0) {
        code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_NEXT);
        if (code != 0 || !toast_has_prefix(&key, version)) {
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
    while (code == 0 && left-- > 0 && toast_read_u64(entry.mv_data) < oldest) {
        const uint8_t *at = entry.mv_data;
        uint8_t version[TOAST_KEY_SIZE];
        memcpy(version, at + TOAST_POSITION_SIZE, TOAST_PREFIX_SIZE);
        (void)toast_write_u64(toast_write_u64(version + TOAST_PREFIX_SIZE, ~toast_read_u64(at)),
                              ~toast_read_u64(at + 8));
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
    if (!toast_store_begin_transaction(s, f)) {
        return false;
    }
    int code = remove_before(s, oldest);
    if (code != 0) {
        return toast_store_fail_transaction(s, code, "removing old values", f);
    }
    struct toast_about about = s->about;
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
