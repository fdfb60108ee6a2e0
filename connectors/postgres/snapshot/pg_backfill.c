// A snapshot matches the stream if it sees every transaction that the stream has given, and every transaction
// that wrote before the table was published, since the stream does not have those writes. A committed
// transaction becomes visible a moment after the stream may have given it, and with a synchronous standby
// much later. So a snapshot is good if all transactions that ran at the start have ended (its xmin says so)
// and it sees all transactions that the stream has given since. If it is not good, another one is taken. The
// stream waits while a snapshot is being taken.
#include "connectors/postgres/snapshot/pg_backfill.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_visibility.h"
#include "core/base/log.h"

#define PG_BACKFILL_STATES(X)                                                                                \
    X(STARTING)    /* queries which transactions run now */                                                  \
    X(SETTLING)    /* waits until they have ended; the stream goes on */                                     \
    X(TAKING)      /* takes a snapshot; the stream waits */                                                  \
    X(CATCHING_UP) /* the stream goes on to the first transaction that the snapshot does not see */          \
    X(READING)     /* reads rows; the stream waits */                                                        \
    X(FAILED)

enum pg_backfill_state {
#define X(name) PG_BACKFILL_##name,
    PG_BACKFILL_STATES(X)
#undef X
};

enum {
    SETTLE_MS = 200,   // between snapshots while running transactions must end
    RETAKE_MS = 20,    // between snapshots while given transactions must become visible
    RETAKES_MAX = 10,  // then the stream goes on for STEP_ASIDE_MS
    STEP_ASIDE_MS = 1000
};

struct pg_backfill {
    struct pg_backfill_params params;
    char *publications;
    uint32_t *only;
    enum pg_backfill_state state;
    uint64_t floor;   // transactions before it must have ended
    uint32_t *given;  // transactions that the stream has given since and no snapshot has seen
    size_t given_count;
    int retakes;
    bool has_logged_waiting;
    struct pg_visibility seen;
    uint64_t flushed;  // the WAL flush position when the snapshot was taken
    struct pg_snapshot *snapshot;
};

static void enter(struct pg_backfill *b, enum pg_backfill_state to)
{
    static const uint32_t allowed[] = {
        [PG_BACKFILL_STARTING] = 1U << PG_BACKFILL_TAKING,
        [PG_BACKFILL_SETTLING] = 1U << PG_BACKFILL_TAKING,
        [PG_BACKFILL_TAKING] = 1U << PG_BACKFILL_SETTLING | 1U << PG_BACKFILL_CATCHING_UP,
        [PG_BACKFILL_CATCHING_UP] = 1U << PG_BACKFILL_READING,
        [PG_BACKFILL_READING] = 0,
        [PG_BACKFILL_FAILED] = 0,
    };
    static const char *const names[] = {
#define X(name) [PG_BACKFILL_##name] = #name,
        PG_BACKFILL_STATES(X)
#undef X
    };
    INVARIANT(((allowed[b->state] | 1U << PG_BACKFILL_FAILED) & 1U << to) != 0);
    log_debug(b->params.snapshot.component, "backfill_state", NULL, "%s -> %s", names[b->state], names[to]);
    b->state = to;
    b->params.on_hold(b->params.snapshot.self);
}

static void fail(struct pg_backfill *b, const struct fault *f, const char *what)
{
    struct fault fault = *f;
    (void)fault_context(&fault, "snapshot: %s", what);
    b->state = PG_BACKFILL_FAILED;
    b->params.snapshot.on_fault(b->params.snapshot.self, &fault);
}

static bool is_result_good(struct pg_backfill *b, size_t count, size_t want, const struct fault *f,
                           const char *what)
{
    struct fault fault;
    if (pg_conn_answered(count, want, f, &fault)) {
        return true;
    }
    fail(b, &fault, what);
    return false;
}

static void take(struct pg_backfill *b);

static void on_timer(uv_timer_t *timer)
{
    struct pg_backfill *b = timer->data;
    if (b->state == PG_BACKFILL_SETTLING) {
        enter(b, PG_BACKFILL_TAKING);
    }
    take(b);
}

static void wait_for(struct pg_backfill *b, uint64_t ms)
{
    (void)uv_timer_start(b->params.timer, on_timer, ms, 0);
}

static void on_rolled_back(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_backfill *b = self;
    (void)results;
    if (!is_result_good(b, count, 1, f, "ROLLBACK")) {
        return;
    }
    if (b->seen.xmin < b->floor) {
        if (!b->has_logged_waiting) {
            b->has_logged_waiting = true;
            log_info(b->params.snapshot.component, "snapshot_waits", NULL,
                     "the snapshot waits for open transactions; the oldest is %llu: SELECT pid, query "
                     "FROM pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY xact_start; "
                     "SELECT gid, prepared FROM pg_prepared_xacts;",
                     (unsigned long long)b->seen.xmin);
        }
        enter(b, PG_BACKFILL_SETTLING);
        wait_for(b, SETTLE_MS);
    } else if (++b->retakes < RETAKES_MAX) {
        wait_for(b, RETAKE_MS);
    } else {
        b->retakes = 0;
        enter(b, PG_BACKFILL_SETTLING);
        wait_for(b, STEP_ASIDE_MS);
    }
}

// Whether the snapshot is good. Keeps the transactions in `given` that it does not see.
static bool is_snapshot_good(struct pg_backfill *b)
{
    size_t left = 0;
    for (size_t i = 0; i < b->given_count; i++) {
        if (!pg_visibility_sees(&b->seen, b->given[i])) {
            b->given[left++] = b->given[i];
        }
    }
    b->given_count = left;
    return left == 0 && b->seen.xmin >= b->floor;
}

static void on_taken(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_backfill *b = self;
    struct fault bad;
    if (!is_result_good(b, count, 3, f, "taking it")) {
        return;
    }
    pg_visibility_clear(&b->seen);
    if (!pg_visibility_parse(PQgetvalue(results[2], 0, 0), &b->seen, &bad)) {
        fail(b, &bad, "taking it");
        return;
    }
    b->flushed = strtoull(PQgetvalue(results[2], 0, 1), NULL, 10);
    if (is_snapshot_good(b)) {
        enter(b, PG_BACKFILL_CATCHING_UP);
    } else {
        pg_conn_query(b->params.snapshot.conn, "ROLLBACK", on_rolled_back, b);
    }
}

static void take(struct pg_backfill *b)
{
    pg_conn_query(b->params.snapshot.conn,
                  "BEGIN ISOLATION LEVEL REPEATABLE READ;"
                  "SET LOCAL idle_in_transaction_session_timeout = 0;"
                  "SELECT pg_current_snapshot(), pg_current_wal_flush_lsn() - '0/0'",
                  on_taken, b);
}

static void on_floor_known(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_backfill *b = self;
    if (is_result_good(b, count, 1, f, "pg_current_xact_id()")) {
        b->floor = strtoull(PQgetvalue(results[0], 0, 0), NULL, 10);
        enter(b, PG_BACKFILL_TAKING);
        take(b);
    }
}

struct pg_backfill *pg_backfill_start(const struct pg_backfill_params *params)
{
    struct pg_backfill *b = memory_zeroed(1, sizeof(*b));
    const struct pg_snapshot_params *snapshot = &params->snapshot;
    b->params = *params;
    b->publications = memory_string(snapshot->publication_names);
    b->only = memory_zeroed(snapshot->only_count + 1, sizeof(*b->only));
    if (snapshot->only_count > 0) {
        memcpy(b->only, snapshot->only, snapshot->only_count * sizeof(*b->only));
    }
    b->params.snapshot.publication_names = b->publications;
    b->params.snapshot.only = b->only;
    b->params.timer->data = b;
    if (params->has_snapshot) {
        b->state = PG_BACKFILL_CATCHING_UP;
        return b;
    }
    // A new id is above all that run. A snapshot's xmax is not: it is one above the newest that has ended.
    pg_conn_query(snapshot->conn, "SELECT pg_current_xact_id()", on_floor_known, b);
    return b;
}

void pg_backfill_free(struct pg_backfill *b)
{
    if (b == NULL) {
        return;
    }
    (void)uv_timer_stop(b->params.timer);
    pg_snapshot_free(b->snapshot);
    pg_visibility_clear(&b->seen);
    free(b->given);
    free(b->only);
    free(b->publications);
    free(b);
}

bool pg_backfill_holds(const struct pg_backfill *b)
{
    return b->state == PG_BACKFILL_TAKING || b->state == PG_BACKFILL_READING;
}

bool pg_backfill_is_catching_up(const struct pg_backfill *b)
{
    return b->state == PG_BACKFILL_CATCHING_UP;
}

bool pg_backfill_comes_before(struct pg_backfill *b, uint32_t transaction_id)
{
    if (transaction_id == 0) {  // a message outside of transactions: no snapshot sees it, or does not
        return false;
    }
    switch (b->state) {
    case PG_BACKFILL_STARTING:
    case PG_BACKFILL_SETTLING:
        b->given = memory_resize(b->given, (b->given_count + 1) * sizeof(*b->given));
        b->given[b->given_count++] = transaction_id;
        return false;
    case PG_BACKFILL_CATCHING_UP:
        return !pg_visibility_sees(&b->seen, transaction_id);
    case PG_BACKFILL_TAKING:
    case PG_BACKFILL_READING:
    case PG_BACKFILL_FAILED:
        break;
    }
    return false;
}

bool pg_backfill_is_due(const struct pg_backfill *b, uint64_t position)
{
    return b->state == PG_BACKFILL_CATCHING_UP && position >= b->flushed;
}

void pg_backfill_read(struct pg_backfill *b, uint64_t position)
{
    enter(b, PG_BACKFILL_READING);
    b->params.snapshot.position = position;
    b->snapshot = pg_snapshot_start(&b->params.snapshot);
}

enum pg_snapshot_step pg_backfill_next(struct pg_backfill *b, struct change *ret, struct fault *f)
{
    return b->snapshot == NULL ? PG_SNAPSHOT_NOTHING : pg_snapshot_next(b->snapshot, ret, f);
}

void pg_backfill_pause(struct pg_backfill *b, bool is_paused)
{
    if (b->state == PG_BACKFILL_READING && is_paused) {
        pg_conn_pause(b->params.snapshot.conn);
    } else if (b->state == PG_BACKFILL_READING) {
        pg_conn_resume(b->params.snapshot.conn);
    }
}

const uint32_t *pg_backfill_skipped(const struct pg_backfill *b, size_t *ret_count)
{
    return pg_snapshot_skipped(b->snapshot, ret_count);
}

bool pg_backfill_was_locked(const struct pg_backfill *b)
{
    return pg_snapshot_was_locked(b->snapshot);
}
