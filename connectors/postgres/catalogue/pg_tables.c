#include "connectors/postgres/catalogue/pg_tables.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_tables_private.h"
#include "core/base/log.h"

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
    free(t->captured);
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

static bool pg_tables_is_in(const struct pg_tables *t, const struct pg_tables_entry *e)
{
    return e->is_in_main || (t->has_inserts && e->is_in_inserts);
}

static bool pg_tables_was_captured(const struct pg_tables *t, const struct pg_tables_entry *e)
{
    for (size_t low = 0, high = t->captured_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (t->captured[middle] == e->oid) {
            return true;
        }
        low = t->captured[middle] < e->oid ? middle + 1 : low;
        high = t->captured[middle] < e->oid ? high : middle;
    }
    return false;
}

static void pg_tables_log_change(const struct pg_tables *t, const struct pg_tables_entry *e, bool is_captured)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    const struct pg_tables_entry *root = is_captured ? pg_tables_scan_root(&t->scan, e) : NULL;
    if (root != NULL) {
        log_info(t->component, "table_added", LOG_WITH(LOG_TEXT("table", full)),
                 "%s, a partition of %s.%s, is captured from now on", full, root->schema, root->name);
    } else if (is_captured) {
        log_info(t->component, "table_added", LOG_WITH(LOG_TEXT("table", full)), "%s is captured from now on",
                 full);
    } else {
        log_info(t->component, "table_removed", LOG_WITH(LOG_TEXT("table", full)), "%s is no longer captured",
                 full);
    }
}

// Tells of what is published now, and logs what has changed since the last look.
static void pg_tables_settle(struct pg_tables *t, bool is_mended)
{
    uint32_t *captured = memory_zeroed(t->scan.count + 1, sizeof(*captured));
    size_t count = 0;
    for (size_t i = 0; i < t->scan.count; i++) {
        const struct pg_tables_entry *e = &t->scan.entries[i];
        const struct pg_tables_entry *published = e->cover == 0 ? e : pg_tables_scan_find(&t->scan, e->cover);
        bool was_in = pg_tables_is_in(t, published) || t->scan.main.has_all_tables;
        bool is_captured = e->is_captured && (was_in || (is_mended && published->is_ours));
        bool was_captured = t->has_scanned ? pg_tables_was_captured(t, e)
                            : is_captured  ? was_in
                                           : pg_tables_is_in(t, e) && e->is_ours;
        if (is_captured != was_captured && (is_captured || !e->is_partitioned)) {
            pg_tables_log_change(t, e, is_captured);
        }
        if (is_captured) {
            captured[count++] = e->oid;
            t->on_table(t->table_self, e->schema, e->name);
        }
    }
    free(t->captured);
    t->captured = captured;
    t->captured_count = count;
    t->has_scanned = true;
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
        pg_tables_settle(t, true);
        bytes_reset(&t->refused);
        pg_tables_done(t, NULL);
        return;
    }
    if (!pg_tables_is_missing(t)) {
        pg_tables_refuse(t, f->text);
        pg_tables_settle(t, false);
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
        pg_tables_settle(t, true);
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
        pg_tables_settle(t, false);
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
