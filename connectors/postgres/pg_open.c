// The state record says snapshot "running" before the slot is created, and "done" once the snapshot is on
// Kafka. After a stop in between the slot is used again: its stream has all changes since, including deletes
// of rows that the cut snapshot has published. pg_reader then reads all rows again, beside the stream.
#include "connectors/postgres/pg_open.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_stream_format.h"
#include "connectors/postgres/pg_slot_log.h"
#include "core/base/log.h"

enum { LOCK_RETRY_MS = 500, TABLES_RETRY_MS = 1000 };

#define BIT(state) (1U << PG_OPEN_##state)

// Which states may follow each state; CLOSED may follow all.
static const uint32_t allowed[] = {
    [PG_OPEN_CLOSED] = BIT(CONNECTING),
    [PG_OPEN_CONNECTING] = BIT(LOCKING),
    [PG_OPEN_LOCKING] = BIT(LOADING_STATE) | BIT(WAITING_FOR_SLOT),
    [PG_OPEN_LOADING_STATE] = BIT(CHECKING),
    [PG_OPEN_CHECKING] = BIT(SAVING_BEGIN) | BIT(SCANNING) | BIT(WAITING_FOR_SLOT),
    [PG_OPEN_SAVING_BEGIN] = BIT(SCANNING),
    [PG_OPEN_SCANNING] = BIT(SAVING_NEW) | BIT(RECONCILING),
    [PG_OPEN_SAVING_NEW] = BIT(RECONCILING),
    [PG_OPEN_RECONCILING] = BIT(WAITING_FOR_TABLES) | BIT(CREATING_SLOT) | BIT(CHOOSING) | BIT(STARTING),
    [PG_OPEN_WAITING_FOR_TABLES] = BIT(SCANNING),
    [PG_OPEN_CREATING_SLOT] = BIT(IMPORTING) | BIT(SAVING_SLOT),
    [PG_OPEN_IMPORTING] = BIT(SAVING_SLOT),
    [PG_OPEN_SAVING_SLOT] = BIT(CHOOSING) | BIT(STARTING),
    [PG_OPEN_CHOOSING] = BIT(STARTING),
    [PG_OPEN_STARTING] = BIT(DONE) | BIT(WAITING_FOR_SLOT),
    [PG_OPEN_WAITING_FOR_SLOT] = BIT(LOCKING),
    [PG_OPEN_DONE] = 0,
};
#undef BIT

static void enter(struct pg_open *o, enum pg_open_state to, const char *why)
{
    static const char *const phases[] = {
#define X(name, phase) [PG_OPEN_##name] = (phase),
        PG_OPEN_STATES(X)
#undef X
    };
    static const char *const names[] = {
#define X(name, phase) [PG_OPEN_##name] = #name,
        PG_OPEN_STATES(X)
#undef X
    };
    INVARIANT(to == PG_OPEN_CLOSED || (allowed[o->state] & 1U << to) != 0);
    log_debug(o->deps->component, "source_state", NULL, "%s -> %s (%s)", names[o->state], names[to], why);
    o->state = to;
    if (phases[to] != NULL) {
        o->deps->listener->on_phase(o->deps->listener->self, phases[to], why);
    }
}

static void fail(struct pg_open *o, const struct fault *f)
{
    o->deps->on_fault(o->deps->self, f);
}

static void lock(struct pg_open *o);

static void on_retry_lock(uv_timer_t *timer)
{
    lock(timer->data);
}

// Retries from LOCKING, so that state record and slot are read again after the other copy has ended.
static void wait_for_slot(struct pg_open *o, const char *why)
{
    enter(o, PG_OPEN_WAITING_FOR_SLOT, why);
    (void)uv_timer_start(&o->retry, on_retry_lock, LOCK_RETRY_MS, 0);
}

static void on_started(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_open *o = self;
    (void)results;
    if (f != NULL && f->origin_code == PG_CONN_OBJECT_IN_USE) {
        wait_for_slot(o, f->text);
        return;
    }
    if (!pg_deps_answered(o->deps, count, 1, f, "START_REPLICATION")) {
        return;
    }
    enter(o, PG_OPEN_DONE, "the stream has started");
    o->on_open(o->self, &o->session);
}

static void start_stream(struct pg_open *o)
{
    enter(o, PG_OPEN_STARTING, "starting the stream");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "START_REPLICATION SLOT ");
    pg_conn_quote_name(&sql, o->deps->config->slot.name);
    // 0/0: the server starts at the slot's confirmed_flush_lsn.
    bytes_append_string(&sql, " LOGICAL 0/0 (proto_version '1', publication_names ");
    pg_publication_names(o->deps->publication, &sql);
    bytes_append_string(&sql, ", messages 'true'");
    if (o->deps->config->origin == CONNECTOR_ORIGIN_NONE) {
        bytes_append_string(&sql, ", origin 'none'");
    }
    bytes_append_string(&sql, o->session.is_binary ? ", binary 'true')" : ")");
    pg_conn_query(o->session.replication, bytes_text(&sql), on_started, o);
}

// Without an answer the stream starts binary: pg_frames looks at the types of each table.
static void on_types(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_open *o = self;
    CLEANUP(memory_free_pointer)
    char *type = f == NULL && count > 0 ? pg_stream_format_text_type(results[0]) : NULL;
    o->session.is_binary = type == NULL;
    if (type == NULL) {
        log_info(o->deps->component, "stream_format", LOG_WITH(LOG_TEXT("format", "binary")),
                 "the server sends values in binary form");
    } else {
        log_info(o->deps->component, "stream_format",
                 LOG_WITH(LOG_TEXT("format", "text"), LOG_TEXT("type", type)),
                 "the server sends values as text: type %s has no binary form here", type);
    }
    start_stream(o);
}

static void start(struct pg_open *o)
{
    bool is_off = o->deps->config->binary_stream == CONNECTOR_BINARY_OFF;
    if (is_off || o->needs_text) {
        log_info(o->deps->component, "stream_format", LOG_WITH(LOG_TEXT("format", "text")),
                 "the server sends values as text: %s",
                 is_off ? "binary_stream is off" : "a table has a type without a binary form here");
        start_stream(o);
        return;
    }
    enter(o, PG_OPEN_CHOOSING, "reading the types of the published tables");
    CLEANUP(bytes_clear) struct bytes publications = {0};
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_publication_literals(o->deps->publication, &publications);
    pg_stream_format_query(&sql, bytes_text(&publications), pg_conn_server_version(o->session.sql));
    pg_conn_query(o->session.sql, bytes_text(&sql), on_types, o);
}

static void save(struct pg_open *o, enum pg_open_state to)
{
    struct source_state *known = &o->session.known;
    enter(o, to, "saving the state record");
    known->is_known = true;
    known->timeline = o->session.timeline;
    (void)snprintf(known->slot, sizeof(known->slot), "%s", o->deps->config->slot.name);
    memcpy(known->system_identifier, o->session.system_identifier, sizeof(known->system_identifier));
    o->deps->listener->on_state(o->deps->listener->self, known);
}

static void on_imported(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_open *o = self;
    (void)results;
    if (pg_deps_answered(o->deps, count, 3, f, "SET TRANSACTION SNAPSHOT")) {
        o->session.has_snapshot = true;
        save(o, PG_OPEN_SAVING_SLOT);
    }
}

// The snapshot is exported until the next command on the replication connection.
static void import_snapshot(struct pg_open *o, const char *snapshot)
{
    enter(o, PG_OPEN_IMPORTING, "importing the snapshot of the slot");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT ");
    pg_conn_quote_text(&sql, snapshot);
    bytes_append_string(&sql, "; SET LOCAL idle_in_transaction_session_timeout = 0");
    pg_conn_query(o->session.sql, bytes_text(&sql), on_imported, o);
}

static void on_slot_created(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_open *o = self;
    const char *slot = o->deps->config->slot.name;
    struct fault bad = {0};
    if (f != NULL && f->origin_code == PG_CONN_NO_PRIVILEGE) {
        (void)fault_set(&bad, FAULT_CONFIG,
                        "slot %s may not be made (%s); as a superuser run: ALTER ROLE \"%s\" REPLICATION;",
                        slot, f->text, pg_conn_user(o->session.sql));
        fail(o, &bad);
        return;
    }
    if (!pg_deps_answered(o->deps, count, 1, f, "CREATE_REPLICATION_SLOT")) {
        return;
    }
    const char *lsn = PQgetvalue(results[0], 0, 1);
    if (!pg_slot_parse_lsn(lsn, &o->session.position)) {
        (void)fault_set(&bad, FAULT_FATAL, "CREATE_REPLICATION_SLOT returned the LSN \"%s\"", lsn);
        fail(o, &bad);
        return;
    }
    log_info(o->deps->component, "slot_created", LOG_WITH(LOG_TEXT("lsn", lsn)), "created slot %s", slot);
    o->session.known.is_snapshot_done = o->deps->config->snapshot == CONNECTOR_SNAPSHOT_NEVER;
    o->session.known.position = o->session.position;
    if (o->session.known.is_snapshot_done) {
        save(o, PG_OPEN_SAVING_SLOT);
    } else {
        import_snapshot(o, PQgetvalue(results[0], 0, 2));
    }
}

static void create_slot(struct pg_open *o)
{
    enter(o, PG_OPEN_CREATING_SLOT, "creating the slot; the server waits for running transactions to end");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_create(&sql, o->deps->config->slot.name, pg_conn_server_version(o->session.replication),
                   o->deps->config->snapshot == CONNECTOR_SNAPSHOT_INITIAL);
    pg_conn_query(o->session.replication, bytes_text(&sql), on_slot_created, o);
}

static void scan(struct pg_open *o);

static void on_retry_tables(uv_timer_t *timer)
{
    scan(timer->data);
}

// A snapshot without tables would end at once, and tables that appear later would never be snapshotted.
static void wait_for_tables(struct pg_open *o)
{
    CLEANUP(bytes_clear) struct bytes why = {0};
    bytes_append_string(&why, "the first snapshot waits for a table: ");
    pg_publication_explain_none(o->deps->publication, &why);
    enter(o, PG_OPEN_WAITING_FOR_TABLES, bytes_text(&why));
    if (o->explained == NULL || strcmp(o->explained, bytes_text(&why)) != 0) {
        log_warn(o->deps->component, "tables_missing", NULL, "%s", bytes_text(&why));
        free(o->explained);
        o->explained = memory_string(bytes_text(&why));
    }
    (void)uv_timer_start(&o->retry, on_retry_tables, TABLES_RETRY_MS, 0);
}

static void on_reconciled(void *self, const struct fault *f)
{
    struct pg_open *o = self;
    if (f != NULL) {
        fail(o, f);
        return;
    }
    bool has_snapshot = o->plan == PG_SLOT_RESUME ||
                        (o->plan == PG_SLOT_MAKE && o->deps->config->snapshot == CONNECTOR_SNAPSHOT_INITIAL);
    if (has_snapshot && pg_publication_is_empty(o->deps->publication)) {
        wait_for_tables(o);
    } else if (o->plan == PG_SLOT_MAKE) {
        create_slot(o);
    } else {
        start(o);
    }
}

static void reconcile(struct pg_open *o)
{
    enter(o, PG_OPEN_RECONCILING, "updating the publications");
    pg_publication_reconcile(o->deps->publication, o->session.sql, on_reconciled, o);
}

static void on_scanned(void *self, const struct fault *f)
{
    struct pg_open *o = self;
    struct source_state *known = &o->session.known;
    if (f != NULL) {
        fail(o, f);
        return;
    }
    if (o->plan != PG_SLOT_USE) {
        reconcile(o);
        return;
    }
    // Tables that appeared while the connector did not run are read, unless there was no record.
    bool was_done = known->is_known && known->is_snapshot_done;
    bool has_new = was_done && pg_publication_list_new(o->deps->publication, known);
    known->is_snapshot_done = true;
    if (!was_done || has_new || known->timeline != o->session.timeline) {
        save(o, PG_OPEN_SAVING_NEW);
    } else {
        reconcile(o);
    }
}

static void scan(struct pg_open *o)
{
    enter(o, PG_OPEN_SCANNING, "reading tables and publications");
    pg_publication_scan(o->deps->publication, o->session.sql, on_scanned, o);
}

static void check_slot(struct pg_open *o)
{
    struct fault bad = {0};
    struct pg_session *s = &o->session;
    if (!pg_slot_decide(&s->slot, o->deps->config, &s->known, s->system_identifier, &o->plan, &bad)) {
        fail(o, &bad);
        return;
    }
    if (o->plan == PG_SLOT_MAKE) {
        s->known = (struct source_state){0};
        save(o,
             PG_OPEN_SAVING_BEGIN);  // even if it says so: a "done" of the previous copy may arrive late
    } else if (s->slot.is_active) {
        // By something else than this connector, whose copies hold the lock.
        CLEANUP(memory_free_pointer)
        char *why = memory_format("slot %s is in use by the server's process %d", o->deps->config->slot.name,
                                  s->slot.active_pid);
        wait_for_slot(o, why);
    } else {
        pg_slot_log_position(o->deps, s, o->confirmed);
        s->position =
            s->slot.confirmed_lsn;  // not a saved position: reporting a higher one makes the server skip WAL
        scan(o);
    }
}

static void on_history(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_open *o = self;
    struct fault bad = {0};
    bool has_file = f == NULL && count >= 1 && PQntuples(results[0]) == 1;
    bool is_lost = f != NULL && f->origin_code != PG_CONN_UNDEFINED_FILE;
    if (is_lost && !pg_deps_answered(o->deps, count, 1, f, "TIMELINE_HISTORY")) {
        return;
    }
    if (pg_slot_check_timeline(o->deps->config, &o->session.known, o->session.timeline,
                               has_file ? PQgetvalue(results[0], 0, 1) : NULL, &bad)) {
        check_slot(o);
    } else {
        fail(o, &bad);
    }
}

static void check_timeline(struct pg_open *o)
{
    const struct source_state *known = &o->session.known;
    struct fault bad = {0};
    if (!known->is_known || known->timeline == o->session.timeline) {
        check_slot(o);
    } else if (!pg_slot_check_timeline(o->deps->config, known, o->session.timeline, NULL, &bad)) {
        fail(o, &bad);
    } else {
        CLEANUP(memory_free_pointer) char *sql = memory_format("TIMELINE_HISTORY %u", o->session.timeline);
        pg_conn_query(o->session.replication, sql, on_history, o);
    }
}

// The option is new in PostgreSQL 16: older servers would refuse the stream.
static bool check_origin(const struct pg_open *o, struct fault *f)
{
    int version = pg_conn_server_version(o->session.sql);
    if (o->deps->config->origin == CONNECTOR_ORIGIN_ANY || version >= 160000) {
        return true;
    }
    return fault_set(
        f, FAULT_CONFIG,
        "origin: none needs PostgreSQL 16 or newer, and the server has %d: take it out, or leave "
        "the changes of other servers out by their source.origin",
        version / 10000);
}

static void on_checked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_open *o = self;
    struct pg_session *s = &o->session;
    struct fault bad = {0};
    if (!pg_deps_answered(o->deps, count, 2, f, "reading the slot")) {
        return;
    }
    pg_slot_read(results, pg_conn_server_version(s->sql), &s->slot);
    o->address = (struct pg_dsn_address){0};
    if (!check_origin(o, &bad) || !pg_slot_check_server(&s->slot, &bad)) {
        fail(o, &bad);
        return;
    }
    o->address = pg_conn_address(s->sql);
    if (s->known.is_known && strcmp(s->known.slot, o->deps->config->slot.name) != 0) {
        log_warn(o->deps->component, "slot_changed", LOG_WITH(LOG_TEXT("old", s->known.slot)),
                 "slot.name was %s before: changes that only that slot has are not published; drop it when "
                 "it is not "
                 "needed",
                 s->known.slot);
        s->known = (struct source_state){0};
    }
    check_timeline(o);
}

void pg_open_state_loaded(struct pg_open *o, const struct source_state *known)
{
    if (o->state != PG_OPEN_LOADING_STATE) {
        return;
    }
    o->session.known = *known;
    enter(o, PG_OPEN_CHECKING, "checking server and slot");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_query(&sql, o->deps->config->slot.name);
    pg_conn_query(o->session.sql, bytes_text(&sql), on_checked, o);
}

void pg_open_state_saved(struct pg_open *o)
{
    if (o->state == PG_OPEN_SAVING_BEGIN) {
        scan(o);
    } else if (o->state == PG_OPEN_SAVING_NEW) {
        reconcile(o);
    } else if (o->state == PG_OPEN_SAVING_SLOT) {
        start(o);
    }
}

// The record is read after the locks are held, when the previous copy can't write any more.
static void on_locked(void *self, enum pg_lock_result result, const struct fault *why)
{
    struct pg_open *o = self;
    switch (result) {
    case PG_LOCK_HELD:
        enter(o, PG_OPEN_LOADING_STATE, "reading the state record from Kafka");
        o->deps->listener->on_load_state(o->deps->listener->self);
        return;
    case PG_LOCK_TAKEN:
        wait_for_slot(o, why->text);
        return;
    case PG_LOCK_FAULT:
        fail(o, why);
        return;
    }
}

static void lock(struct pg_open *o)
{
    enter(o, PG_OPEN_LOCKING, "locking out other copies");
    pg_lock_take(&o->lock);
}

static void on_connected(void *self)
{
    struct pg_open *o = self;
    o->lock = (struct pg_lock){.replication = o->session.replication,
                               .sql = o->session.sql,
                               .slot = o->deps->config->slot.name,
                               .on_done = on_locked,
                               .self = o};
    lock(o);
}

void pg_open_init(struct pg_open *o, const struct pg_deps *deps,
                  void (*on_open)(void *self, struct pg_session *session), void *self)
{
    *o = (struct pg_open){.deps = deps, .on_open = on_open, .self = self};
    INVARIANT(uv_timer_init(deps->loop, &o->retry) == 0);
    o->retry.data = o;
}

void pg_open_close_handles(struct pg_open *o, uv_close_cb on_closed, void *self)
{
    o->retry.data = self;
    uv_close((uv_handle_t *)&o->retry, on_closed);
}

void pg_open_start(struct pg_open *o, uint64_t confirmed, bool needs_text)
{
    o->session = (struct pg_session){0};
    o->confirmed = confirmed;
    o->needs_text = needs_text;
    enter(o, PG_OPEN_CONNECTING, "connecting");
    o->connect = (struct pg_connect){.deps = o->deps,
                                     .session = &o->session,
                                     .first = o->address,
                                     .on_connected = on_connected,
                                     .self = o};
    pg_connect_start(&o->connect);
}

void pg_open_stop(struct pg_open *o)
{
    (void)uv_timer_stop(&o->retry);
    pg_session_close(&o->session);
    if (o->state != PG_OPEN_CLOSED) {
        enter(o, PG_OPEN_CLOSED, "closed");
    }
}

void pg_open_clear(struct pg_open *o)
{
    pg_open_stop(o);
    free(o->explained);
    o->explained = NULL;
}
