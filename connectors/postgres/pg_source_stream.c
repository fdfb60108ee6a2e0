// The stream while it runs: frames into changes, relations described by the catalogue, tables and slot looked
// at.
#include "connectors/postgres/pg_source_private.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum {
    PG_SOURCE_TICK_MS = 1000,
    PG_SOURCE_SKIPS_MAX = 1024,  // frames passed over in one step
};

#define PG_SOURCE_SCAN_US (30 * CLOCK_US_PER_S)
#define PG_SOURCE_SCAN_SOON_US (2 * CLOCK_US_PER_S)

void pg_source_gate(struct source *s)
{
    pg_stream_pause(&s->stream, s->is_paused || s->is_loading || s->described != NULL);
}

static void pg_source_on_refill(uv_timer_t *timer)
{
    struct source *s = CONTAINER_OF(timer, struct source, refill);
    s->listener.on_ready(s->listener.self);
}

static void pg_source_on_stream_ready(void *self)
{
    struct source *s = self;
    s->listener.on_ready(s->listener.self);
}

static void pg_source_on_slot(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    s->is_scanning = false;
    if (f == NULL && count >= 2) {
        pg_slot_read(results, pg_conn_server_version(s->sql), &s->slot);
    }
}

static void pg_source_on_scanned(void *self, const struct fault *f)
{
    struct source *s = self;
    if (f != NULL) {
        log_warn(s->component, "tables_not_checked", NULL, "%s", f->text);
    }
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_query(&sql, s->config->slot.name);
    pg_conn_query(s->sql, bytes_text(&sql), pg_source_on_slot, s);
}

// New tables, lost identities, the slot's figures: every 30 s, and soon after the server spoke of a relation.
static void pg_source_scan(struct source *s)
{
    int64_t since_us = clock_now_us() - s->scanned_us;
    bool is_due = since_us >= PG_SOURCE_SCAN_US || (s->is_scan_due && since_us >= PG_SOURCE_SCAN_SOON_US);
    if (is_due && !s->is_scanning) {
        s->is_scanning = true;
        s->is_scan_due = false;
        s->scanned_us = clock_now_us();
        pg_tables_check(s->tables, s->sql, pg_source_on_scanned, s);
    }
}

static void pg_source_on_tick(uv_timer_t *timer)
{
    struct source *s = CONTAINER_OF(timer, struct source, tick);
    struct fault f = {0};
    if (s->state != PG_SOURCE_STREAMING) {
        return;
    }
    if (!pg_stream_tick(&s->stream, &f)) {
        pg_source_fail(s, &f);
        return;
    }
    pg_source_scan(s);
}

static void pg_source_on_loaded(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    s->is_loading = false;
    pg_source_gate(s);
    if (f == NULL && count >= PG_CATALOGUE_SET_RESULTS) {
        pg_catalogue_set_read(results, &s->catalogue);
    }
    s->listener.on_ready(s->listener.self);  // without it, each table is asked for by itself
}

static void pg_source_load(struct source *s)
{
    CLEANUP(bytes_clear) struct bytes publications = {0};
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_catalogue_set_clear(&s->catalogue);
    pg_tables_publication_literals(s->tables, &publications);
    pg_catalogue_set_query(&sql, bytes_text(&publications));
    s->is_loading = true;
    pg_source_gate(s);
    pg_conn_query(s->sql, bytes_text(&sql), pg_source_on_loaded, s);
}

void pg_source_streaming(struct source *s)
{
    pg_stream_start(&s->stream, s->replication, &s->refill, pg_source_on_refill);
    pg_conn_watch_copy(s->replication, pg_source_on_stream_ready, s);
    s->is_in_transaction = false;
    s->is_caught_up = false;
    s->described = NULL;
    s->is_scanning = false;
    s->scanned_us = clock_now_us();
    pg_source_load(s);
    (void)uv_timer_start(&s->tick, pg_source_on_tick, PG_SOURCE_TICK_MS, PG_SOURCE_TICK_MS);
}

static void pg_source_on_described(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    struct pg_relation *relation = s->described;
    s->described = NULL;
    pg_source_gate(s);
    if (f != NULL || count < PG_CATALOGUE_RESULTS) {
        struct fault fault = {0};
        (void)fault_set(&fault, FAULT_RETRY, "reading the catalogue: %s", f == NULL ? "no answer" : f->text);
        pg_source_fail(s, &fault);
        return;
    }
    struct pg_catalogue catalogue;
    pg_catalogue_read(results, &catalogue);
    pg_relations_update(s->relations, relation, &s->message->relation, &catalogue);
    pg_catalogue_clear(&catalogue);
    s->listener.on_ready(s->listener.self);
}

// The stream stands still until the catalogue has said what the message does not: its frame stays in memory.
static void pg_source_describe(struct source *s)
{
    struct pg_relation *relation = pg_relations_see(s->relations, &s->message->relation);
    s->is_scan_due = true;
    if (!relation->is_wanted) {
        return;
    }
    // A table that is not wanted by what was known may have been attached to one that is, since then.
    const struct pg_catalogue *known = pg_catalogue_set_take(&s->catalogue, &s->message->relation);
    if (known != NULL && pg_relations_would_want(s->relations, &s->message->relation, known)) {
        pg_relations_update(s->relations, relation, &s->message->relation, known);
        return;
    }
    s->described = relation;
    pg_source_gate(s);
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_catalogue_query(&sql, relation->oid, &s->message->relation);
    pg_conn_query(s->sql, bytes_text(&sql), pg_source_on_described, s);
}

static void pg_source_fill(const struct source *s, struct change *ret, enum change_kind kind)
{
    const struct pgoutput_begin *begin = &s->message->begin;
    *ret = (struct change){.kind = kind};
    ret->commit_lsn = begin->final_lsn;
    ret->commit_time_us = begin->commit_time_us;
    ret->transaction_id = begin->transaction_id;
}

enum pg_source_taken { PG_SOURCE_TAKEN_CHANGE, PG_SOURCE_TAKEN_NOTHING, PG_SOURCE_TAKEN_FAULT };

static enum pg_source_taken pg_source_row(struct source *s, uint64_t lsn, struct change *ret, struct fault *f)
{
    struct pg_relation *relation = pg_relations_find(s->relations, s->message->row.relation_oid);
    uint32_t index = s->index++;  // rows passed over count too: ids don't depend on the configuration
    if (relation == NULL || (relation->is_wanted && relation->table == NULL)) {
        (void)fault_set(f, FAULT_FATAL, "a row came of relation %u, which was not described",
                        s->message->row.relation_oid);
        return PG_SOURCE_TAKEN_FAULT;
    }
    if (!relation->is_wanted) {
        return PG_SOURCE_TAKEN_NOTHING;
    }
    pg_source_fill(s, ret, CHANGE_ROW);
    ret->index = index;
    ret->lsn = lsn;
    ret->last_commit_lsn = s->last_commit_lsn;
    ret->database = s->database;
    ret->snapshot = "false";
    if (!pg_change_make(&s->changes, s->relations, relation, s->message, ret, f)) {
        return PG_SOURCE_TAKEN_FAULT;
    }
    if (s->changes.has_second) {
        s->changes.second.index = s->index++;
    }
    return PG_SOURCE_TAKEN_CHANGE;
}

static enum pg_source_taken pg_source_message(struct source *s, uint64_t lsn, struct change *ret,
                                              struct fault *f)
{
    switch (s->message->kind) {
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        return pg_source_row(s, lsn, ret, f);
    case PGOUTPUT_BEGIN:
        s->is_in_transaction = true;
        s->is_caught_up = false;
        s->index = 0;
        pg_source_fill(s, ret, CHANGE_BEGIN);
        return PG_SOURCE_TAKEN_CHANGE;
    case PGOUTPUT_COMMIT:
        s->is_in_transaction = false;
        s->last_commit_lsn = s->message->commit.end_lsn;
        pg_source_fill(s, ret, CHANGE_COMMIT);
        ret->position = s->message->commit.end_lsn;
        return PG_SOURCE_TAKEN_CHANGE;
    case PGOUTPUT_RELATION:
        pg_source_describe(s);
        return PG_SOURCE_TAKEN_NOTHING;
    case PGOUTPUT_TRUNCATE:
        if (!s->has_truncate_logged) {
            s->has_truncate_logged = true;
            log_warn(s->component, "truncate_skipped", NULL,
                     "the publication sends TRUNCATE, which is not published");
        }
        return PG_SOURCE_TAKEN_NOTHING;
    case PGOUTPUT_ORIGIN:
    case PGOUTPUT_TYPE:
    case PGOUTPUT_MESSAGE:
        return PG_SOURCE_TAKEN_NOTHING;
    }
    return PG_SOURCE_TAKEN_NOTHING;
}

static void pg_source_on_ended(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    (void)results;
    (void)count;
    if (f != NULL) {
        struct fault fault = *f;
        if (f->origin_code == PG_CONN_UNDEFINED_OBJECT) {
            (void)pg_slot_lost_publication(s->config, &fault);
        } else {
            (void)fault_context(&fault, "the stream of slot %s", s->config->slot.name);
        }
        pg_source_fail(s, &fault);
        return;
    }
    s->listener.on_ready(s->listener.self);
}

static enum source_step pg_source_ended(struct source *s)
{
    (void)uv_timer_stop(&s->tick);
    (void)uv_timer_stop(&s->refill);
    pg_source_enter(s, PG_SOURCE_ENDED, "the server ended the stream");
    pg_conn_end_copy(s->replication, pg_source_on_ended, s);
    return SOURCE_NOTHING;
}

enum source_step pg_source_stream_next(struct source *s, struct change *ret, struct fault *f)
{
    for (int i = 0; i < PG_SOURCE_SKIPS_MAX && s->described == NULL; i++) {
        struct pg_stream_frame frame;
        enum pg_source_taken taken = PG_SOURCE_TAKEN_NOTHING;
        switch (pg_stream_next(&s->stream, &frame, f)) {
        case PG_STREAM_DATA:
            if (!pgoutput_decode(frame.message, s->message, f)) {
                return SOURCE_FAULT;
            }
            taken = pg_source_message(s, frame.lsn, ret, f);
            break;
        case PG_STREAM_KEEPALIVE:
            if (!s->is_in_transaction) {
                s->is_caught_up = true;
                *ret = (struct change){.kind = CHANGE_IDLE, .position = frame.wal_end};
                return SOURCE_CHANGE;
            }
            break;
        case PG_STREAM_NOTHING:
            return SOURCE_NOTHING;
        case PG_STREAM_END:
            return pg_source_ended(s);
        case PG_STREAM_FAULT:
            return SOURCE_FAULT;
        }
        if (taken != PG_SOURCE_TAKEN_NOTHING) {
            return taken == PG_SOURCE_TAKEN_CHANGE ? SOURCE_CHANGE : SOURCE_FAULT;
        }
    }
    if (s->described == NULL) {
        pg_source_wake(s);
    }
    return SOURCE_NOTHING;
}
