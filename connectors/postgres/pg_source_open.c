// Opening, in order: connect twice, lock other copies out and recall the state record (pg_source_lock.c),
// check server and slot, save the record, publications, slot and snapshot (pg_source_slot.c), stream. The
// record says "unfinished" before a slot is made and "finished" once its snapshot is on Kafka: a crash in
// between finds the record and begins again with a new slot; a slot without a record was made by the
// operator.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/postgres/pg_source_private.h"
#include "core/base/log.h"

static void pg_source_start(struct source *s);

bool pg_source_answered(struct source *s, size_t count, size_t want, const struct fault *f, const char *what)
{
    struct fault fault = {0};
    if (f == NULL && count >= want) {
        return true;
    }
    if (f == NULL) {
        (void)fault_set(&fault, FAULT_RETRY, "%s: the server answered %zu of %zu statements", what, count,
                        want);
    } else {
        fault = *f;
        (void)fault_context(&fault, "%s", what);
    }
    pg_source_fail(s, &fault);
    return false;
}

static void pg_source_on_lost(void *self, const struct fault *f)
{
    pg_source_fail(self, f);
}

static void pg_source_on_identified(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    if (!pg_source_answered(s, count, 1, f, "IDENTIFY_SYSTEM")) {
        return;
    }
    (void)snprintf(s->system_identifier, sizeof(s->system_identifier), "%.31s", PQgetvalue(results[0], 0, 0));
    s->timeline = (uint32_t)strtoul(PQgetvalue(results[0], 0, 1), NULL, 10);
    pg_source_lock(s);
}

static void pg_source_on_replication(void *self, const struct fault *f)
{
    struct source *s = self;
    if (f != NULL) {
        pg_source_fail(s, f);
        return;
    }
    pg_conn_query(s->replication, "IDENTIFY_SYSTEM", pg_source_on_identified, s);
}

static struct pg_conn *pg_source_connect(struct source *s, bool is_replication,
                                         void (*on_open)(void *self, const struct fault *f))
{
    struct pg_conn_params params = {.loop = s->loop,
                                    .dsn = s->config->postgres.dsn,
                                    .password = s->config->postgres.password,
                                    .is_replication = is_replication,
                                    .first = is_replication ? pg_conn_address(s->sql) : s->address,
                                    .is_only_first = is_replication,  // both speak to one server
                                    .on_open = on_open,
                                    .on_lost = pg_source_on_lost,
                                    .self = s};
    return pg_conn_open(&params);
}

static void pg_source_on_sql(void *self, const struct fault *f)
{
    struct source *s = self;
    if (f != NULL) {
        pg_source_fail(s, f);
        return;
    }
    free(s->database);
    s->database = memory_string(pg_conn_database(s->sql));
    s->replication = pg_source_connect(s, true, pg_source_on_replication);
}

void pg_source_open(struct source *s)
{
    INVARIANT(s->state == PG_SOURCE_CLOSED);
    s->has_slot_lock = s->is_locked = false;
    s->has_told_open = false;
    pg_source_enter(s, PG_SOURCE_CONNECTING, "connecting");
    s->sql = pg_source_connect(s, false, pg_source_on_sql);
}

void pg_source_save(struct source *s, bool is_done)
{
    pg_source_enter(s, is_done ? PG_SOURCE_SAVING_END : PG_SOURCE_SAVING_BEGIN, "saving the state record");
    struct source_state state = {.is_known = true, .is_snapshot_done = is_done, .timeline = s->timeline};
    (void)snprintf(state.slot, sizeof(state.slot), "%s", s->config->slot.name);
    memcpy(state.system_identifier, s->system_identifier, sizeof(state.system_identifier));
    s->known = state;
    s->listener.on_state(s->listener.self, &state);
}

static void pg_source_on_published(void *self, const struct fault *f)
{
    struct source *s = self;
    if (f != NULL) {
        pg_source_fail(s, f);
        return;
    }
    bool is_new = !s->known.is_known || !s->known.is_snapshot_done || s->known.timeline != s->timeline;
    switch (s->plan) {
    case PG_SLOT_MAKE:
    case PG_SLOT_REMAKE:
        pg_source_make_slot(s);
        return;
    case PG_SLOT_USE:
        if (is_new) {
            pg_source_save(s, true);
        } else {
            pg_source_start(s);
        }
        return;
    }
}

static void pg_source_publish(struct source *s)
{
    pg_source_enter(s, PG_SOURCE_PUBLISHING, "checking publications");
    pg_tables_check(s->tables, s->sql, pg_source_on_published, s);
}

// What differs from what this process confirmed before. A slot that is behind it is no harm after a cut or a
// crash: the server was not told, or forgot, and changes come again. But a position that the server has not
// even written says that this is another history than the one we followed.
static void pg_source_say_position(struct source *s, const char *lsn)
{
    uint64_t confirmed = s->slot.confirmed_lsn;
    if (s->stream.confirmed > confirmed && s->stream.confirmed > s->slot.wal_end) {
        log_warn(
            s->component, "slot_went_back", LOG_WITH(LOG_TEXT("lsn", lsn)),
            "the server was restored, or failed over to one that was behind: slot %s stands at %s; changes "
            "that were published and are gone there stay published",
            s->config->slot.name, lsn);
    } else if (s->stream.confirmed > confirmed) {
        log_info(s->component, "slot_went_back", LOG_WITH(LOG_TEXT("lsn", lsn)),
                 "slot %s stands at %s, before what we confirmed last: changes come again",
                 s->config->slot.name, lsn);
    } else if (s->stream.confirmed != 0 && confirmed > s->stream.confirmed) {
        log_warn(s->component, "slot_moved", LOG_WITH(LOG_TEXT("lsn", lsn)),
                 "slot %s was moved to %s, beyond what we confirmed: by another copy of this connector, or "
                 "by hand",
                 s->config->slot.name, lsn);
    } else if (!s->known.is_known) {
        log_info(s->component, "slot_adopted", LOG_WITH(LOG_TEXT("lsn", lsn)),
                 "slot %s exists already: streaming goes on from its position %s, without a snapshot",
                 s->config->slot.name, lsn);
    }
    if (s->known.is_known && s->known.timeline != s->timeline) {
        log_warn(
            s->component, "timeline_changed",
            LOG_WITH(LOG_NUMBER("old", s->known.timeline), LOG_NUMBER("new", s->timeline)),
            "the server is on timeline %u, it was on %u before: another server was promoted, or this one was "
            "restored",
            s->timeline, s->known.timeline);
    }
}

static void pg_source_use_slot(struct source *s)
{
    uint64_t confirmed = s->slot.confirmed_lsn;
    CLEANUP(memory_free_pointer)
    char *lsn = memory_format("%" PRIX64 "/%" PRIX64, confirmed >> 32, confirmed & UINT32_MAX);
    pg_source_say_position(s, lsn);
    s->stream.confirmed = confirmed;  // never ours: told to the server it would skip what is before it
    pg_source_publish(s);
}

// Not a copy of this version, which would hold the lock.
static void pg_source_wait_for_slot(struct source *s)
{
    CLEANUP(memory_free_pointer)
    char *why = memory_format("slot %s is in use by the server's process %d", s->config->slot.name,
                              s->slot.active_pid);
    pg_source_wait(s, why);
}

static void pg_source_on_checked(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    if (!pg_source_answered(s, count, 2, f, "reading the slot")) {
        return;
    }
    pg_slot_read(results, pg_conn_server_version(s->sql), &s->slot);
    struct fault bad = {0};
    s->address = (struct pg_dsn_address){0};
    if (!pg_slot_check_server(&s->slot, &bad) ||
        !pg_slot_decide(&s->slot, s->config, &s->known, s->system_identifier, &s->plan, &bad)) {
        pg_source_fail(s, &bad);
        return;
    }
    s->address = pg_conn_address(s->sql);
    if (s->known.is_known && strcmp(s->known.slot, s->config->slot.name) != 0) {
        log_warn(s->component, "slot_changed", LOG_WITH(LOG_TEXT("old", s->known.slot)),
                 "slot.name was %s before: what only that slot holds is not published; drop it when it is "
                 "not needed",
                 s->known.slot);
        s->known = (struct source_state){0};
    }
    if (s->plan != PG_SLOT_MAKE && s->slot.is_active) {
        pg_source_wait_for_slot(s);
    } else if (s->plan == PG_SLOT_USE) {
        pg_source_use_slot(s);
    } else {
        pg_source_save(s, false);  // if it says so already too: a "done" of the copy before may come late
    }
}

void pg_source_check(struct source *s)
{
    pg_source_enter(s, PG_SOURCE_CHECKING, "checking server and slot");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_query(&sql, s->config->slot.name);
    pg_conn_query(s->sql, bytes_text(&sql), pg_source_on_checked, s);
}

void pg_source_state_saved(struct source *s)
{
    if (s->state == PG_SOURCE_SAVING_BEGIN) {
        pg_source_publish(s);
    } else if (s->state == PG_SOURCE_SAVING_END) {
        pg_source_start(s);
    }
}

void pg_source_tell_open(struct source *s, uint64_t position)
{
    if (!s->has_told_open) {
        s->has_told_open = true;
        s->listener.on_open(s->listener.self, position);
    }
}

static void pg_source_on_started(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    (void)results;
    if (f != NULL && f->origin_code == PG_CONN_OBJECT_IN_USE) {
        pg_source_wait(s, f->text);
        return;
    }
    if (!pg_source_answered(s, count, 1, f, "START_REPLICATION")) {
        return;
    }
    pg_source_enter(s, PG_SOURCE_STREAMING, "streaming");
    pg_source_streaming(s);
    pg_source_tell_open(s, s->stream.confirmed);
}

static void pg_source_start(struct source *s)
{
    pg_source_enter(s, PG_SOURCE_STARTING, "starting the stream");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "START_REPLICATION SLOT ");
    pg_conn_quote_name(&sql, s->config->slot.name);
    // 0/0: the server begins at the slot's confirmed position.
    bytes_append_string(&sql, " LOGICAL 0/0 (proto_version '1', publication_names ");
    pg_tables_publication_names(s->tables, &sql);
    bytes_append_string(&sql, ")");
    pg_conn_query(s->replication, bytes_text(&sql), pg_source_on_started, s);
}
