// A slot excludes other copies only while it streams; between its creation and START_REPLICATION it looks
// unused. So pg_open first takes an advisory lock on the replication connection. That lock ends with the
// connection, and wal_sender_timeout ends the connection of a frozen holder. The ordinary connection takes a
// second lock: if a machine is lost, its session may go on with a COPY for a long time, and no slot can be
// created while that transaction runs. The holder of the slot lock terminates a session that still holds the
// second lock.
#include "connectors/postgres/pg_lock.h"

#include "connectors/postgres/pg_slot.h"

static void on_holder_terminated(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_lock *l = self;
    struct fault why;
    (void)results;
    (void)count;
    (void)fault_set(&why, FAULT_RETRY, "%s",
                    f != NULL ? f->text : "terminating the session that the previous copy left behind");
    l->on_done(l->self, PG_LOCK_TAKEN, &why);
}

// False: the query failed, and on_done was called.
static bool is_answered(struct pg_lock *l, PGresult *const *results, size_t count, const struct fault *f,
                        bool *ret_is_held)
{
    struct fault bad;
    if (f == NULL && count >= 1) {
        *ret_is_held = PQgetvalue(results[0], 0, 0)[0] == 't';
        return true;
    }
    if (f == NULL) {
        (void)fault_set(&bad, FAULT_RETRY, "pg_try_advisory_lock: the server returned no result");
    } else if (f->origin_code == PG_CONN_NO_PRIVILEGE) {
        (void)fault_set(&bad, FAULT_CONFIG,
                        "the lock against other copies may not be taken (%s); as a superuser run: GRANT "
                        "EXECUTE ON FUNCTION pg_try_advisory_lock(int, int) TO \"%s\";",
                        f->text, pg_conn_user(l->sql));
    } else {
        bad = *f;
        (void)fault_context(&bad, "pg_try_advisory_lock");
    }
    l->on_done(l->self, PG_LOCK_FAULT, &bad);
    return false;
}

static void on_sql_locked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_lock *l = self;
    bool is_held;
    if (!is_answered(l, results, count, f, &is_held)) {
        return;
    }
    if (is_held) {
        l->on_done(l->self, PG_LOCK_HELD, NULL);
        return;
    }
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_end_holder(&sql, PG_SLOT_LOCK_SQL, l->slot);
    pg_conn_query(l->sql, bytes_text(&sql), on_holder_terminated, l);
}

static void lock_sql(struct pg_lock *l)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_lock(&sql, PG_SLOT_LOCK_SQL, l->slot);
    pg_conn_query(l->sql, bytes_text(&sql), on_sql_locked, l);
}

static void on_slot_locked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_lock *l = self;
    if (!is_answered(l, results, count, f, &l->has_slot_lock)) {
        return;
    }
    if (l->has_slot_lock) {
        lock_sql(l);
        return;
    }
    struct fault why;
    (void)fault_set(&why, FAULT_RETRY, "another copy of this connector is running");
    l->on_done(l->self, PG_LOCK_TAKEN, &why);
}

void pg_lock_take(struct pg_lock *l)
{
    if (l->has_slot_lock) {
        lock_sql(l);
        return;
    }
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_lock(&sql, PG_SLOT_LOCK_REPLICATION, l->slot);
    pg_conn_query(l->replication, bytes_text(&sql), on_slot_locked, l);
}
