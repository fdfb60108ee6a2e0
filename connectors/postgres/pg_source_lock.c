// One copy at a time. The slot alone keeps copies apart only while it streams: between its making and the end
// of the snapshot it looks abandoned. So before anything is looked at, an advisory lock is taken on the
// replication connection: it ends with the slot's use, and a holder that froze while streaming is ended by
// wal_sender_timeout. The ordinary connection takes one too: of a machine that is gone the server may go on
// with a COPY for a long time, and no slot can be made while its transaction runs. Who has the first lock
// ends whoever has the second.
//
// The state record is read after both are held: the copy before has written what was to be written.
#include "connectors/postgres/pg_source_private.h"

enum { PG_SOURCE_LOCK_RETRY_MS = 500 };

static void pg_source_recall(struct source *s)
{
    s->is_locked = true;
    pg_source_enter(s, PG_SOURCE_RECALLING, "reading the state record from Kafka");
    s->listener.on_recall(s->listener.self);
}

void pg_source_recalled(struct source *s, const struct source_state *known)
{
    if (s->state == PG_SOURCE_RECALLING) {
        s->known = *known;
        pg_source_check(s);
    }
}

static void pg_source_on_retry(uv_timer_t *timer)
{
    struct source *s = CONTAINER_OF(timer, struct source, retry);
    if (s->is_locked) {
        pg_source_recall(s);
    } else {
        pg_source_lock(s);
    }
}

// Ours takes over when the other one leaves. What it did meanwhile is looked at anew then.
void pg_source_wait(struct source *s, const char *why)
{
    s->has_told_open = false;
    pg_source_enter(s, PG_SOURCE_WAITING_FOR_SLOT, why);
    (void)uv_timer_start(&s->retry, pg_source_on_retry, PG_SOURCE_LOCK_RETRY_MS, 0);
}

static void pg_source_on_holder_ended(void *self, PGresult *const *results, size_t count,
                                      const struct fault *f)
{
    (void)results;
    (void)count;
    pg_source_wait(self, f != NULL ? f->text : "ending the session that the copy before left behind");
}

// The lock's answer, or the end of this opening.
static bool pg_source_lock_answered(struct source *s, PGresult *const *results, size_t count,
                                    const struct fault *f, bool *ret_is_held)
{
    if (f != NULL && f->origin_code == PG_CONN_NO_PRIVILEGE) {
        struct fault bad;
        (void)fault_set(&bad, FAULT_CONFIG,
                        "the lock that keeps copies apart may not be taken (%s); as a superuser run: GRANT "
                        "EXECUTE ON FUNCTION pg_try_advisory_lock(int, int) TO \"%s\";",
                        f->text, pg_conn_user(s->sql));
        pg_source_fail(s, &bad);
        return false;
    }
    if (!pg_source_answered(s, count, 1, f, "pg_try_advisory_lock")) {
        return false;
    }
    *ret_is_held = PQgetvalue(results[0], 0, 0)[0] == 't';
    return true;
}

static void pg_source_on_sql_locked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    bool is_held;
    if (!pg_source_lock_answered(s, results, count, f, &is_held)) {
        return;
    }
    if (is_held) {
        pg_source_recall(s);
        return;
    }
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_end_holder(&sql, PG_SLOT_LOCK_SQL, s->config->slot.name);
    pg_conn_query(s->sql, bytes_text(&sql), pg_source_on_holder_ended, s);
}

static void pg_source_lock_sql(struct source *s)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_lock(&sql, PG_SLOT_LOCK_SQL, s->config->slot.name);
    pg_conn_query(s->sql, bytes_text(&sql), pg_source_on_sql_locked, s);
}

static void pg_source_on_locked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    if (!pg_source_lock_answered(s, results, count, f, &s->has_slot_lock)) {
        return;
    }
    if (s->has_slot_lock) {
        pg_source_lock_sql(s);
    } else {
        pg_source_wait(s, "another copy of this connector is at work");
    }
}

void pg_source_lock(struct source *s)
{
    pg_source_enter(s, PG_SOURCE_LOCKING, "keeping other copies out");
    if (s->has_slot_lock) {
        pg_source_lock_sql(s);
        return;
    }
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_lock(&sql, PG_SLOT_LOCK_REPLICATION, s->config->slot.name);
    pg_conn_query(s->replication, bytes_text(&sql), pg_source_on_locked, s);
}
