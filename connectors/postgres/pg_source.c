#include "connectors/postgres/pg_source.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/postgres/pg_dsn.h"
#include "connectors/postgres/pg_source_private.h"
#include "core/clock.h"
#include "core/log.h"

enum {
    PG_SOURCE_TICK_MS = 1000,
    PG_SOURCE_SKIPS_MAX = 1024,  // frames passed over in one step
    PG_SOURCE_SLOT_NAME_MAX = 63,
};

#define PG_SOURCE_SCAN_US (30 * CLOCK_US_PER_S)
#define PG_SOURCE_SCAN_SOON_US (2 * CLOCK_US_PER_S)

#define BIT(state) (1U << PG_SOURCE_##state)

// Where each state may go; CLOSED and FAILED from everywhere.
static uint32_t pg_source_allowed(enum pg_source_state from)
{
    switch (from) {
    case PG_SOURCE_CLOSED:
        return BIT(CONNECTING);
    case PG_SOURCE_CONNECTING:
        return BIT(CHECKING);
    case PG_SOURCE_CHECKING:
        return BIT(SAVING_BEGIN) | BIT(PUBLISHING);
    case PG_SOURCE_SAVING_BEGIN:
        return BIT(PUBLISHING);
    case PG_SOURCE_PUBLISHING:
        return BIT(DROPPING_SLOT) | BIT(MAKING_SLOT) | BIT(SAVING_END) | BIT(STARTING);
    case PG_SOURCE_DROPPING_SLOT:
        return BIT(MAKING_SLOT) | BIT(WAITING_FOR_SLOT);
    case PG_SOURCE_MAKING_SLOT:
        return BIT(SNAPSHOTTING) | BIT(SAVING_END);
    case PG_SOURCE_SNAPSHOTTING:
        return BIT(SAVING_END);
    case PG_SOURCE_SAVING_END:
        return BIT(STARTING);
    case PG_SOURCE_STARTING:
        return BIT(STREAMING) | BIT(WAITING_FOR_SLOT);
    case PG_SOURCE_WAITING_FOR_SLOT:
        return BIT(STARTING) | BIT(DROPPING_SLOT);
    case PG_SOURCE_STREAMING:
        return BIT(ENDED);
    case PG_SOURCE_ENDED:
    case PG_SOURCE_FAILED:
        return 0;
    }
    return 0;
}

static const char *const pg_source_phases[] = {
#define X(name, phase) [PG_SOURCE_##name] = (phase),
    PG_SOURCE_STATES(X)
#undef X
};

static const char *const pg_source_names[] = {
#define X(name, phase) [PG_SOURCE_##name] = #name,
    PG_SOURCE_STATES(X)
#undef X
};

void pg_source_enter(struct source *s, enum pg_source_state to, const char *why)
{
    INVARIANT(((pg_source_allowed(s->state) | BIT(CLOSED) | BIT(FAILED)) & (1U << to)) != 0);
    log_debug(s->component, "source_state", NULL, "%s -> %s (%s)", pg_source_names[s->state], pg_source_names[to], why);
    s->state = to;
    if (pg_source_phases[to] != NULL) {
        s->listener.on_phase(s->listener.self, pg_source_phases[to], why);
    }
}
#undef BIT

void pg_source_fail(struct source *s, const struct fault *f)
{
    if (s->state == PG_SOURCE_CLOSED || s->state == PG_SOURCE_FAILED) {
        return;
    }
    struct fault fault = *f;
    pg_source_enter(s, PG_SOURCE_FAILED, fault.text);
    s->listener.on_fault(s->listener.self, &fault);
}

static void pg_source_on_wake(uv_timer_t *timer)
{
    struct source *s = CONTAINER_OF(timer, struct source, wake);
    s->listener.on_ready(s->listener.self);
}

void pg_source_wake(struct source *s)
{
    (void)uv_timer_start(&s->wake, pg_source_on_wake, 0, 0);
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

void pg_source_streaming(struct source *s)
{
    pg_stream_start(&s->stream, s->replication, &s->refill, pg_source_on_refill);
    pg_conn_watch_copy(s->replication, pg_source_on_stream_ready, s);
    if (s->is_paused) {
        pg_stream_pause(&s->stream, true);
    }
    s->is_in_transaction = false;
    s->is_caught_up = false;
    s->described = NULL;
    s->is_scanning = false;
    s->scanned_us = clock_now_us();
    (void)uv_timer_start(&s->tick, pg_source_on_tick, PG_SOURCE_TICK_MS, PG_SOURCE_TICK_MS);
}

static void pg_source_on_described(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    struct pg_relation *relation = s->described;
    s->described = NULL;
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
    s->described = relation;
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

static enum pg_source_taken pg_source_message(struct source *s, uint64_t lsn, struct change *ret, struct fault *f)
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
            log_warn(s->component, "truncate_skipped", NULL, "the publication sends TRUNCATE, which is not published");
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
        (void)fault_context(&fault, "the stream of slot %s", s->config->slot.name);
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

static enum source_step pg_source_next_stream(struct source *s, struct change *ret, struct fault *f)
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
            s->is_caught_up = s->is_caught_up || !s->is_in_transaction;
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

static enum source_step pg_source_next_snapshot(struct source *s, struct change *ret, struct fault *f)
{
    switch (pg_snapshot_next(s->snapshot, ret, f)) {
    case PG_SNAPSHOT_CHANGE:
        ret->database = s->database;
        return SOURCE_CHANGE;
    case PG_SNAPSHOT_NOTHING:
        return SOURCE_NOTHING;
    case PG_SNAPSHOT_END:
        pg_source_snapshot_done(s);
        return SOURCE_NOTHING;
    case PG_SNAPSHOT_FAULT:
        break;
    }
    return SOURCE_FAULT;
}

static enum source_step pg_source_next(struct source *s, struct change *ret, struct fault *f)
{
    if (s->is_paused) {
        return SOURCE_NOTHING;
    }
    if (s->state == PG_SOURCE_STREAMING) {
        if (s->changes.has_second) {
            s->changes.has_second = false;
            *ret = s->changes.second;
            return SOURCE_CHANGE;
        }
        return pg_source_next_stream(s, ret, f);
    }
    if (s->state == PG_SOURCE_SNAPSHOTTING) {
        return pg_source_next_snapshot(s, ret, f);
    }
    return s->state == PG_SOURCE_ENDED ? SOURCE_END : SOURCE_NOTHING;
}

static void pg_source_confirm(struct source *s, uint64_t safe_position)
{
    if (safe_position > s->stream.confirmed) {
        s->stream.confirmed = safe_position;
    }
}

static void pg_source_pause(struct source *s)
{
    s->is_paused = true;
    if (s->state == PG_SOURCE_STREAMING) {
        pg_stream_pause(&s->stream, true);
    } else if (s->state == PG_SOURCE_SNAPSHOTTING) {
        pg_conn_pause(s->sql);
    }
}

static void pg_source_resume(struct source *s)
{
    s->is_paused = false;
    if (s->state == PG_SOURCE_STREAMING) {
        pg_stream_pause(&s->stream, false);
    } else if (s->sql != NULL) {
        pg_conn_resume(s->sql);
    }
    if (s->state != PG_SOURCE_CLOSED) {
        pg_source_wake(s);  // libpq may hold what the socket no longer does
    }
}

static void pg_source_lag(const struct source *s, struct source_lag *ret)
{
    uint64_t end = s->stream.wal_end > s->slot.wal_end ? s->stream.wal_end : s->slot.wal_end;
    uint64_t confirmed = s->stream.confirmed;
    uint64_t restart = s->slot.restart_lsn;
    ret->slot_lag_bytes = confirmed != 0 && end > confirmed ? end - confirmed : 0;
    ret->slot_retained_bytes = restart != 0 && end > restart ? end - restart : 0;
    int64_t behind_us = clock_wall_us() - s->message->begin.commit_time_us;
    ret->lag_us = s->is_caught_up || s->message->begin.commit_time_us == 0 || behind_us < 0 ? 0 : behind_us;
}

static void pg_source_close(struct source *s)
{
    pg_stream_stop(&s->stream);
    (void)uv_timer_stop(&s->tick);
    (void)uv_timer_stop(&s->refill);
    (void)uv_timer_stop(&s->retry);
    (void)uv_timer_stop(&s->wake);
    pg_snapshot_free(s->snapshot);
    s->snapshot = NULL;
    pg_conn_close(s->replication);
    pg_conn_close(s->sql);
    s->replication = NULL;
    s->sql = NULL;
    s->described = NULL;
    s->is_paused = false;
    s->is_caught_up = false;
    s->changes.has_second = false;
    if (s->state != PG_SOURCE_CLOSED) {
        pg_source_enter(s, PG_SOURCE_CLOSED, "closed");
    }
}

static bool pg_source_check_name(const char *name, struct fault *f)
{
    size_t size = strlen(name);
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (size == 0 || size > PG_SOURCE_SLOT_NAME_MAX || good != size) {
        return fault_set(f, FAULT_CONFIG, "slot.name %s: a slot's name has 1 to %d of a-z, 0-9 and _", name,
                         PG_SOURCE_SLOT_NAME_MAX);
    }
    return true;
}

static bool pg_source_make(const struct connector_config *config, uv_loop_t *loop,
                           const struct source_listener *listener, struct source **ret, struct fault *f)
{
    struct pg_dsn dsn;
    if (!pg_source_check_name(config->slot.name, f) ||
        !pg_dsn_parse(config->postgres.dsn, config->postgres.password, false, &dsn, f)) {
        return false;
    }
    pg_dsn_clear(&dsn);
    struct source *s = memory_zeroed(1, sizeof(*s));
    s->config = config;
    s->loop = loop;
    s->listener = *listener;
    s->component = memory_format("connector/%s", config->name);
    s->tables = pg_tables_new(config, s->component);
    s->relations = pg_relations_new(config, s->component);
    s->message = memory_zeroed(1, sizeof(*s->message));
    uv_timer_t *timers[] = {&s->tick, &s->refill, &s->retry, &s->wake};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        INVARIANT(uv_timer_init(loop, timers[i]) == 0);
        timers[i]->data = s;
        s->handles_open++;
    }
    *ret = s;
    return true;
}

static void pg_source_on_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;
    if (--s->handles_open == 0) {
        free(s);
    }
}

static void pg_source_free(struct source *s)
{
    if (s == NULL) {
        return;
    }
    pg_source_close(s);
    pg_tables_free(s->tables);
    pg_relations_free(s->relations);
    pg_change_clear(&s->changes);
    free(s->message);
    free(s->database);
    free(s->component);
    uv_timer_t *timers[] = {&s->tick, &s->refill, &s->retry, &s->wake};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        uv_close((uv_handle_t *)timers[i], pg_source_on_closed);
    }
}

const struct source_type pg_source_type = {
    .kind = "postgres",
    .summary = "PostgreSQL 14 and newer, by logical replication with pgoutput",
    .make = pg_source_make,
    .open = pg_source_open,
    .state_saved = pg_source_state_saved,
    .next = pg_source_next,
    .confirm = pg_source_confirm,
    .pause = pg_source_pause,
    .resume = pg_source_resume,
    .lag = pg_source_lag,
    .close = pg_source_close,
    .free = pg_source_free,
};
