#include "connectors/postgres/pg_tables.h"

#include <stdlib.h>

#include "connectors/postgres/pg_tables_private.h"
#include "core/log.h"

struct pg_tables {
    const struct connector_config *config;
    const char *component;
    char *inserts;  // the second publication's name
    bool has_inserts;
    struct pg_tables_scan scan;
    struct bytes sql;
    struct bytes refused;  // SQL that failed or may not be run: logged once
    uint32_t *named;       // tables already named as a problem
    size_t named_count;
    struct pg_conn *conn;
    pg_tables_on_done on_done;
    void *self;
    pg_tables_on_table on_table;
    void *table_self;
};

struct pg_tables *pg_tables_new(const struct connector_config *config, const char *component,
                                pg_tables_on_table on_table, void *self)
{
    struct pg_tables *t = memory_zeroed(1, sizeof(*t));
    t->config = config;
    t->component = component;
    t->on_table = on_table;
    t->table_self = self;
    t->inserts = memory_format("%s_inserts", config->slot.publication);
    t->has_inserts = config->tables.publish_inserts_only.count > 0;
    return t;
}

void pg_tables_free(struct pg_tables *t)
{
    if (t == NULL) {
        return;
    }
    pg_tables_scan_clear(&t->scan);
    bytes_clear(&t->sql);
    bytes_clear(&t->refused);
    free(t->inserts);
    free(t->named);
    free(t);
}

void pg_tables_publication_names(const struct pg_tables *t, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes names = {0};
    pg_conn_quote_name(&names, t->config->slot.publication);
    if (t->has_inserts) {
        bytes_append_string(&names, ",");
        pg_conn_quote_name(&names, t->inserts);
    }
    pg_conn_quote_text(out, bytes_text(&names));
}

void pg_tables_publication_literals(const struct pg_tables *t, struct bytes *out)
{
    pg_conn_quote_text(out, t->config->slot.publication);
    if (t->has_inserts) {
        bytes_append_string(out, ",");
        pg_conn_quote_text(out, t->inserts);
    }
}

// True the first time a table is named.
static bool pg_tables_names(struct pg_tables *t, uint32_t oid)
{
    for (size_t i = 0; i < t->named_count; i++) {
        if (t->named[i] == oid) {
            return false;
        }
    }
    t->named = memory_resize(t->named, (t->named_count + 1) * sizeof(*t->named));
    t->named[t->named_count++] = oid;
    return true;
}

static void pg_tables_forget(struct pg_tables *t, uint32_t oid)
{
    for (size_t i = 0; i < t->named_count; i++) {
        if (t->named[i] == oid) {
            t->named[i] = t->named[--t->named_count];
            return;
        }
    }
}

static const char *pg_tables_identity_cure(const struct pg_tables_entry *e)
{
    return e->is_partitioned ? "a primary key on the partitioned table"
                             : "a primary key, or REPLICA IDENTITY FULL";
}

static void pg_tables_warn_identity(struct pg_tables *t, const struct pg_tables_entry *e)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    const struct log_value *values = LOG_WITH(LOG_TEXT("table", full));
    if (t->scan.main.has_all_tables) {
        log_warn(t->component, "table_without_identity", values,
                 "%s has no replica identity but publication %s takes all tables: the application's UPDATE "
                 "and DELETE "
                 "of it fail. It needs %s: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL;",
                 full, t->config->slot.publication, pg_tables_identity_cure(e), e->schema, e->name);
    } else if (e->wanted == PG_TABLES_INSERTS) {
        log_warn(t->component, "table_inserts_only", values,
                 "%s has no replica identity: only its inserts are published", full);
    } else {
        log_warn(t->component, "table_without_identity", values,
                 "%s is not published, because its UPDATE and DELETE would fail without a replica identity. "
                 "It needs "
                 "%s: ALTER TABLE \"%s\".\"%s\" ADD PRIMARY KEY (…); or ALTER TABLE \"%s\".\"%s\" REPLICA "
                 "IDENTITY "
                 "FULL; or list it under tables.publish_inserts_only",
                 full, pg_tables_identity_cure(e), e->schema, e->name, e->schema, e->name);
    }
}

static void pg_tables_warn(struct pg_tables *t)
{
    for (size_t i = 0; i < t->scan.count; i++) {
        const struct pg_tables_entry *e = &t->scan.entries[i];
        bool is_keyless = !e->has_identity && e->parent == 0;
        bool is_foreign =
            !e->is_ours && e->wanted == PG_TABLES_MAIN && !e->is_in_main && !t->scan.main.has_all_tables;
        if (!e->is_matching || (!is_keyless && !e->is_unlogged && !is_foreign)) {
            pg_tables_forget(t, e->oid);
            continue;
        }
        if (!pg_tables_names(t, e->oid)) {
            continue;
        }
        if (e->is_unlogged) {
            log_warn(t->component, "table_unlogged", NULL,
                     "%s.%s is UNLOGGED: its changes are not in the WAL and can't be published; ALTER TABLE "
                     "\"%s\".\"%s\" SET LOGGED; mends it",
                     e->schema, e->name, e->schema, e->name);
        } else if (is_keyless) {
            pg_tables_warn_identity(t, e);
        } else {
            log_warn(t->component, "table_not_owned", NULL,
                     "%s.%s matches but our role does not own it; as its owner run: ALTER PUBLICATION \"%s\" "
                     "ADD TABLE "
                     "\"%s\".\"%s\";",
                     e->schema, e->name, t->config->slot.publication, e->schema, e->name);
        }
    }
}

static void pg_tables_done(struct pg_tables *t, const struct fault *f)
{
    t->on_done(t->self, f);
}

// SQL we may not run, or that failed: said once, and the tables that are published go on.
static void pg_tables_refuse(struct pg_tables *t, const char *why)
{
    if (slice_equal(bytes_slice(&t->refused), bytes_slice(&t->sql))) {
        return;
    }
    bytes_reset(&t->refused);
    bytes_append_slice(&t->refused, bytes_slice(&t->sql));
    log_warn(t->component, "publication_not_changed", LOG_WITH(LOG_TEXT("sql", bytes_text(&t->sql))),
             "the publication does not have all matching tables (%s); to mend it run: %s", why,
             bytes_text(&t->sql));
}

static void pg_tables_tell(const struct pg_tables *t)
{
    for (size_t i = 0; i < t->scan.count; i++) {
        const struct pg_tables_entry *e = &t->scan.entries[i];
        if (e->wanted != PG_TABLES_NONE) {
            t->on_table(t->table_self, e->schema, e->name);
        }
    }
}

static void pg_tables_log_changes(struct pg_tables *t)
{
    for (size_t i = 0; i < t->scan.count; i++) {
        const struct pg_tables_entry *e = &t->scan.entries[i];
        CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
        bool is_in = e->is_in_main || (t->has_inserts && e->is_in_inserts);
        if (e->is_ours && !is_in && e->wanted != PG_TABLES_NONE) {
            log_info(t->component, "table_added", LOG_WITH(LOG_TEXT("table", full)),
                     "%s is captured from now on", full);
        } else if (e->is_ours && is_in && e->wanted == PG_TABLES_NONE) {
            log_info(t->component, "table_removed", LOG_WITH(LOG_TEXT("table", full)),
                     "%s is no longer captured", full);
        }
    }
}

static bool pg_tables_is_missing(const struct pg_tables *t)
{
    return !t->scan.main.exists || (t->has_inserts && !t->scan.inserts.exists);
}

static void pg_tables_on_mended(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_tables *t = self;
    (void)results;
    (void)count;
    if (f == NULL) {
        pg_tables_log_changes(t);
        pg_tables_tell(t);
        bytes_reset(&t->refused);
        pg_tables_done(t, NULL);
        return;
    }
    if (!pg_tables_is_missing(t)) {
        pg_tables_refuse(t, f->text);
        pg_tables_done(t, NULL);
        return;
    }
    struct fault fault = *f;
    if (f->origin_code == PG_CONN_NO_PRIVILEGE) {
        (void)fault_set(
            &fault, FAULT_CONFIG,
            "publication %s is missing and may not be made (%s); run as an owner of the tables: %s",
            t->config->slot.publication, f->text, bytes_text(&t->sql));
    } else {
        (void)fault_context(&fault, "making publication %s", t->config->slot.publication);
    }
    pg_tables_done(t, &fault);
}

static void pg_tables_mend(struct pg_tables *t)
{
    bytes_reset(&t->sql);
    pg_tables_scan_mend(&t->scan, t->config->slot.publication, t->inserts, t->has_inserts, &t->sql);
    if (t->sql.size == 0) {
        pg_tables_tell(t);
        pg_tables_done(t, NULL);
        return;
    }
    if (!t->config->slot.create && pg_tables_is_missing(t)) {
        struct fault f;
        (void)fault_set(&f, FAULT_CONFIG, "publication %s does not exist and slot.create is false; run: %s",
                        t->config->slot.publication, bytes_text(&t->sql));
        pg_tables_done(t, &f);
        return;
    }
    bool is_ours = (!t->scan.main.exists || t->scan.main.is_ours) &&
                   (!t->has_inserts || !t->scan.inserts.exists || t->scan.inserts.is_ours);
    if (!t->config->slot.create || !is_ours) {
        pg_tables_refuse(t, t->config->slot.create ? "our role does not own it" : "slot.create is false");
        pg_tables_done(t, NULL);
        return;
    }
    // Never wait long for a table's lock: the stream's questions come by this connection too.
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "SET LOCAL lock_timeout = '2s';");
    bytes_append_slice(&sql, bytes_slice(&t->sql));
    pg_conn_query(t->conn, bytes_text(&sql), pg_tables_on_mended, t);
}

static void pg_tables_on_scan(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_tables *t = self;
    if (f != NULL || count < PG_TABLES_RESULTS) {
        struct fault fault = {0};
        (void)fault_set(&fault, FAULT_RETRY, "reading the catalogue: %s", f == NULL ? "no answer" : f->text);
        pg_tables_done(t, &fault);
        return;
    }
    pg_tables_scan_clear(&t->scan);
    pg_tables_scan_read(results, t->config, &t->scan);
    pg_tables_warn(t);
    pg_tables_mend(t);
}

void pg_tables_check(struct pg_tables *t, struct pg_conn *conn, pg_tables_on_done on_done, void *self)
{
    t->conn = conn;
    t->on_done = on_done;
    t->self = self;
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_tables_scan_query(&sql, t->config->slot.publication, t->inserts, pg_conn_server_version(conn));
    pg_conn_query(conn, bytes_text(&sql), pg_tables_on_scan, t);
}
