// The slot of a first start: an unfinished one is dropped, a new one made, and the rows that are there read
// in its snapshot.
#include <stdio.h>

#include "connectors/postgres/pg_source_private.h"
#include "core/base/log.h"

static void pg_source_on_snapshot_ready(void *self)
{
    struct source *s = self;
    s->listener.on_ready(s->listener.self);
}

static void pg_source_on_snapshot_fault(void *self, const struct fault *f)
{
    pg_source_fail(self, f);
}

static void pg_source_snapshot(struct source *s)
{
    pg_source_enter(s, PG_SOURCE_SNAPSHOTTING, "reading the rows that are there");
    CLEANUP(bytes_clear) struct bytes publications = {0};
    pg_tables_publication_literals(s->tables, &publications);
    struct pg_snapshot_params params = {.conn = s->sql,
                                        .relations = s->relations,
                                        .changes = &s->changes,
                                        .component = s->component,
                                        .publication_names = bytes_text(&publications),
                                        .snapshot_name = s->snapshot_name,
                                        .consistent_lsn = s->consistent_lsn,
                                        .on_ready = pg_source_on_snapshot_ready,
                                        .on_fault = pg_source_on_snapshot_fault,
                                        .self = s};
    s->snapshot = pg_snapshot_start(&params);
    pg_source_tell_open(s, 0);  // its positions lie below the slot's; nothing of it is safe yet
}

void pg_source_snapshot_done(struct source *s)
{
    pg_snapshot_free(s->snapshot);
    s->snapshot = NULL;
    log_info(s->component, "snapshot_done", NULL, "all rows of the snapshot are read");
    pg_source_save(s, true);
}

static void pg_source_on_slot_made(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    struct fault bad = {0};
    if (f != NULL && f->origin_code == PG_CONN_NO_PRIVILEGE) {
        (void)fault_set(&bad, FAULT_CONFIG,
                        "slot %s may not be made (%s); as a superuser run: ALTER ROLE \"%s\" REPLICATION;",
                        s->config->slot.name, f->text, pg_conn_user(s->sql));
        pg_source_fail(s, &bad);
        return;
    }
    if (!pg_source_answered(s, count, 1, f, "CREATE_REPLICATION_SLOT")) {
        return;
    }
    if (!pg_slot_parse_lsn(PQgetvalue(results[0], 0, 1), &s->consistent_lsn)) {
        (void)fault_set(&bad, FAULT_FATAL, "CREATE_REPLICATION_SLOT gave the LSN \"%s\"",
                        PQgetvalue(results[0], 0, 1));
        pg_source_fail(s, &bad);
        return;
    }
    s->stream.confirmed = s->consistent_lsn;
    (void)snprintf(s->snapshot_name, sizeof(s->snapshot_name), "%.63s", PQgetvalue(results[0], 0, 2));
    log_info(s->component, "slot_created", LOG_WITH(LOG_TEXT("lsn", PQgetvalue(results[0], 0, 1))),
             "made slot %s", s->config->slot.name);
    if (s->config->snapshot == CONNECTOR_SNAPSHOT_INITIAL) {
        pg_source_snapshot(s);
    } else {
        pg_source_save(s, true);
    }
}

static void pg_source_create_slot(struct source *s)
{
    pg_source_enter(s, PG_SOURCE_MAKING_SLOT, "making the slot; it waits for running transactions to end");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_create(&sql, s->config->slot.name, pg_conn_server_version(s->replication),
                   s->config->snapshot == CONNECTOR_SNAPSHOT_INITIAL);
    pg_conn_query(s->replication, bytes_text(&sql), pg_source_on_slot_made, s);
}

static void pg_source_on_dropped(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct source *s = self;
    (void)results;
    if (f != NULL && f->origin_code == PG_CONN_OBJECT_IN_USE) {
        pg_source_wait(s, f->text);
        return;
    }
    bool is_gone = f != NULL && f->origin_code == PG_CONN_UNDEFINED_OBJECT;
    if (is_gone || pg_source_answered(s, count, 1, f, "DROP_REPLICATION_SLOT")) {
        pg_source_create_slot(s);
    }
}

void pg_source_make_slot(struct source *s)
{
    if (s->plan != PG_SLOT_REMAKE) {
        pg_source_create_slot(s);
        return;
    }
    pg_source_enter(s, PG_SOURCE_DROPPING_SLOT, "dropping the slot of a first snapshot that did not end");
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "DROP_REPLICATION_SLOT ");
    pg_conn_quote_name(&sql, s->config->slot.name);
    pg_conn_query(s->replication, bytes_text(&sql), pg_source_on_dropped, s);
}
