#include "connectors/postgres/catalogue/pg_publication.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_publication_private.h"
#include "core/base/log.h"

struct pg_publication *pg_publication_new(const struct connector_config *config, const char *component,
                                          pg_publication_on_table on_table, void *self)
{
    struct pg_publication *t = memory_zeroed(1, sizeof(*t));
    t->config = config;
    t->component = component;
    t->on_table = on_table;
    t->table_self = self;
    t->inserts = memory_format("%s_inserts", config->slot.publication);
    t->has_inserts = config->tables.publish_inserts_only.count > 0;
    return t;
}

void pg_publication_free(struct pg_publication *t)
{
    if (t == NULL) {
        return;
    }
    pg_publication_scan_clear(&t->scan);
    pg_publication_scan_clear(&t->before);
    bytes_clear(&t->sql);
    bytes_clear(&t->refused);
    free(t->inserts);
    free(t->warned);
    free(t->captured);
    free(t->fingerprint);
    free(t);
}

void pg_publication_names(const struct pg_publication *t, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes names = {0};
    pg_conn_quote_name(&names, t->config->slot.publication);
    if (t->has_inserts && !t->is_inserts_out) {
        bytes_append_string(&names, ",");
        pg_conn_quote_name(&names, t->inserts);
    }
    pg_conn_quote_text(out, bytes_text(&names));
}

bool pg_publication_leave_inserts_out(struct pg_publication *t, struct fault *f)
{
    bool can = t->has_inserts && !t->is_inserts_out;
    t->is_inserts_out = t->has_inserts;
    if (can) {
        (void)fault_set(
            f, FAULT_RETRY,
            "the publication of tables.publish_inserts_only was created after the slot's position: "
            "streaming without it up to the current end of the WAL");
    }
    return can;
}

void pg_publication_take_inserts_in(struct pg_publication *t)
{
    t->is_inserts_out = false;
}

bool pg_publication_is_inserts_named(const struct pg_publication *t, const char *text)
{
    return t->has_inserts && strstr(text, t->inserts) != NULL;
}

bool pg_publication_is_inserts_out(const struct pg_publication *t)
{
    return t->is_inserts_out;
}

void pg_publication_literals(const struct pg_publication *t, struct bytes *out)
{
    pg_conn_quote_text(out, t->config->slot.publication);
    if (t->has_inserts) {
        bytes_append_string(out, ",");
        pg_conn_quote_text(out, t->inserts);
    }
}

static void finish(struct pg_publication *t, const struct fault *f)
{
    t->on_done(t->self, f);
}

// Logs SQL that failed or that our role may not run, once. The published tables are not affected.
static void log_refused(struct pg_publication *t, const char *why)
{
    if (slice_equal(bytes_slice(&t->refused), bytes_slice(&t->sql))) {
        return;
    }
    bytes_reset(&t->refused);
    bytes_append_slice(&t->refused, bytes_slice(&t->sql));
    log_warn(t->component, "publication_not_changed", LOG_WITH(LOG_TEXT("sql", bytes_text(&t->sql))),
             "the publication does not have all matching tables (%s); to add them run: %s", why,
             bytes_text(&t->sql));
}

static bool is_published(const struct pg_publication *t, const struct pg_publication_entry *e)
{
    return e->is_in_main || (t->has_inserts && e->is_in_inserts);
}

static bool is_in_captured(const struct pg_publication *t, const struct pg_publication_entry *e)
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

static void log_change(const struct pg_publication *t, const struct pg_publication_entry *e, bool is_captured)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    const struct pg_publication_entry *root = is_captured ? pg_publication_scan_root(&t->scan, e) : NULL;
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

static bool can_change(const struct pg_publication *t)
{
    bool is_ours = (!t->scan.main.exists || t->scan.main.is_ours) &&
                   (!t->has_inserts || !t->scan.inserts.exists || t->scan.inserts.is_ours);
    return t->config->slot.create && is_ours;
}

// Updates the entry with what the reconciliation has changed.
static void apply_place(struct pg_publication_entry *e)
{
    if (e->is_ours && e->wanted != PG_PUBLICATION_NONE) {
        e->is_in_main = e->wanted == PG_PUBLICATION_MAIN;
        e->is_in_inserts = e->wanted == PG_PUBLICATION_INSERTS;
        e->is_outdated = false;
    }
}

// Reports the tables that are published now, and logs the changes since the last reconciliation.
static void report_published(struct pg_publication *t, bool is_reconciled)
{
    uint32_t *captured = memory_zeroed(t->scan.count + 1, sizeof(*captured));
    size_t count = 0;
    for (size_t i = 0; i < t->scan.count; i++) {
        const struct pg_publication_entry *e = &t->scan.entries[i];
        const struct pg_publication_entry *published =
            e->cover == 0 ? e : pg_publication_scan_find(&t->scan, e->cover);
        bool was_in = is_published(t, published) || t->scan.main.has_all_tables;
        bool is_added = is_reconciled && published->is_ours && published->wanted != PG_PUBLICATION_NONE;
        bool is_captured = e->is_captured && (was_in || is_added);
        bool was_captured = t->has_scanned ? is_in_captured(t, e)
                            : is_captured  ? was_in
                                           : is_published(t, e) && e->is_ours;
        if (is_captured != was_captured && (is_captured || !e->is_partitioned)) {
            log_change(t, e, is_captured);
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
    t->is_reconciled = is_reconciled;
    if (is_reconciled && can_change(t)) {
        for (size_t i = 0; i < t->scan.count; i++) {
            apply_place(&t->scan.entries[i]);
        }
    }
}

static bool is_missing(const struct pg_publication *t)
{
    return !t->scan.main.exists || (t->has_inserts && !t->scan.inserts.exists);
}

// The SQL for an owner of the tables; stored in t->sql.
static const char *sql_for_owner(struct pg_publication *t)
{
    bytes_reset(&t->sql);
    pg_publication_scan_reconcile(&t->scan, t->config, t->inserts, t->has_inserts, true, &t->sql);
    return bytes_text(&t->sql);
}

// Updates the scan: the reconciliation has created the publication if it did not exist.
static void set_created(struct pg_publication_object *publication)
{
    publication->is_ours = publication->is_ours || !publication->exists;
    publication->exists = true;
}

// Without its filter a table would be published with rows that must not be, so the connector stops.
static bool is_selection_refused(const struct pg_publication *t, const struct fault *f)
{
    static const char classes[][2] = {{'0', 'A'}, {'2', '2'}, {'4', '2'}, {'P', '0'}};
    bool is_refused = false;
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        is_refused = is_refused || pg_conn_is_class(f->origin_code, classes[i][0], classes[i][1]);
    }
    return is_refused && t->config->rows.count > 0 && f->origin_code != PG_CONN_NO_PRIVILEGE;
}

static void on_reconciled(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_publication *t = self;
    (void)results;
    (void)count;
    if (f == NULL) {
        set_created(&t->scan.main);
        if (t->has_inserts) {
            set_created(&t->scan.inserts);
        }
        report_published(t, true);
        bytes_reset(&t->refused);
        finish(t, NULL);
        return;
    }
    if (is_selection_refused(t, f)) {
        struct fault bad = *f;
        bad.kind = FAULT_CONFIG;
        (void)fault_context(&bad, "the row filters (rows) of publication %s", t->config->slot.publication);
        finish(t, &bad);
        return;
    }
    if (!is_missing(t)) {
        log_refused(t, f->text);
        report_published(t, false);
        finish(t, NULL);
        return;
    }
    struct fault fault = *f;
    if (f->origin_code == PG_CONN_NO_PRIVILEGE) {
        (void)fault_set(
            &fault, FAULT_CONFIG,
            "publication %s does not exist and can't be created (%s); run as an owner of the tables: %s",
            t->config->slot.publication, f->text, sql_for_owner(t));
    } else {
        (void)fault_context(&fault, "creating publication %s", t->config->slot.publication);
    }
    finish(t, &fault);
}

void pg_publication_reconcile(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_done on_done,
                              void *self)
{
    t->conn = conn;
    t->on_done = on_done;
    t->self = self;
    struct fault bad;
    if (!pg_publication_select_check(t, can_change(t), &bad)) {
        finish(t, &bad);
        return;
    }
    bytes_reset(&t->sql);
    pg_publication_scan_reconcile(&t->scan, t->config, t->inserts, t->has_inserts, false, &t->sql);
    if (t->sql.size == 0) {
        report_published(t, true);
        finish(t, NULL);
        return;
    }
    if (!t->config->slot.create && is_missing(t)) {
        struct fault f;
        (void)fault_set(&f, FAULT_CONFIG, "publication %s does not exist and slot.create is false; run: %s",
                        t->config->slot.publication, sql_for_owner(t));
        finish(t, &f);
        return;
    }
    if (!can_change(t)) {
        (void)sql_for_owner(t);
        log_refused(t, t->config->slot.create ? "the role of postgres.dsn does not own it"
                                              : "slot.create is false");
        report_published(t, false);
        finish(t, NULL);
        return;
    }
    // Do not wait long for a table's lock, because the stream's queries use this connection too.
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "SET LOCAL lock_timeout = '2s';");
    bytes_append_slice(&sql, bytes_slice(&t->sql));
    pg_conn_query(t->conn, bytes_text(&sql), on_reconciled, t);
}

static void on_scan(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_publication *t = self;
    if (f != NULL || count < PG_PUBLICATION_RESULTS) {
        struct fault fault = {0};
        (void)fault_set(&fault, FAULT_RETRY, "reading the catalogue: %s",
                        f == NULL ? "incomplete results" : f->text);
        finish(t, &fault);
        return;
    }
    pg_publication_scan_clear(&t->before);
    t->before = t->scan;
    t->scan = (struct pg_publication_scan){.server_version = pg_conn_server_version(t->conn)};
    pg_publication_scan_read(results, t->config, &t->scan);
    pg_publication_warn(t);
    if (t->scan.has_locked) {
        free(TAKE(t->fingerprint));  // so that the next probe leads to a scan
    }
    finish(t, NULL);
}

void pg_publication_scan(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_done on_done,
                         void *self)
{
    t->conn = conn;
    t->on_done = on_done;
    t->self = self;
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_publication_scan_query(&sql, t->config, t->inserts, pg_conn_server_version(conn));
    pg_conn_query(conn, bytes_text(&sql), on_scan, t);
}

static bool is_listed(const struct source_state *state, uint32_t oid)
{
    for (size_t i = 0; i < state->unread_count; i++) {
        if (state->unread[i] == oid) {
            return true;
        }
    }
    return false;
}

bool pg_publication_list_new(struct pg_publication *t, struct source_state *io)
{
    const struct pg_publication_scan *before = t->has_scanned ? &t->before : NULL;
    bool has_added = false;
    for (size_t i = 0; i < t->scan.count; i++) {
        struct pg_publication_entry *e = &t->scan.entries[i];
        bool is_new = pg_publication_scan_is_new(&t->scan, before, e, can_change(t));
        bool is_passed_over = t->is_inserts_out && e->is_matching && e->is_in_inserts;
        // More rows than before may match the new filter.
        bool is_filter_new =
            e->is_matching && e->is_outdated && e->is_listed && e->is_in_main && can_change(t);
        if ((!is_new && !is_passed_over && !is_filter_new) || is_listed(io, e->oid)) {
            continue;
        }
        if (io->unread_count < SOURCE_UNREAD_MAX) {
            io->unread[io->unread_count++] = e->oid;
            has_added = true;
        } else {
            e->wanted = PG_PUBLICATION_NONE;
            e->is_in_main = e->is_in_inserts = false;  // so that the next scan lists it again
            free(t->fingerprint);
            t->fingerprint = NULL;
        }
    }
    return has_added;
}

static void on_fingerprint(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_publication *t = self;
    if (f != NULL || count < 1) {
        struct fault fault = {0};
        (void)fault_set(&fault, FAULT_RETRY, "reading the catalogue: %s",
                        f == NULL ? "incomplete results" : f->text);
        t->on_probed(t->self, false, &fault);
        return;
    }
    const char *now = PQgetvalue(results[0], 0, 0);
    bool has_changed = t->fingerprint == NULL || strcmp(t->fingerprint, now) != 0;
    free(t->fingerprint);
    t->fingerprint = memory_string(now);
    t->on_probed(t->self, has_changed, NULL);
}

// Count and sum of the rows' xmin: any change of a row changes its xmin.
#define PG_PUBLICATION_XMIN "(SELECT count(*) || '.' || coalesce(sum(xmin::text::bigint), 0) FROM pg_catalog."

void pg_publication_probe(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_probed on_probed,
                          void *self)
{
    t->on_probed = on_probed;
    t->self = self;
    pg_conn_query(conn,
                  "SELECT concat_ws(' ', " PG_PUBLICATION_XMIN
                  "pg_class WHERE relkind IN ('r', 'p') AND relpersistence <> 't'), " PG_PUBLICATION_XMIN
                  "pg_index), " PG_PUBLICATION_XMIN "pg_inherits), " PG_PUBLICATION_XMIN
                  "pg_publication), " PG_PUBLICATION_XMIN "pg_publication_rel))",
                  on_fingerprint, t);
}

size_t pg_publication_unmatched(const struct pg_publication *t)
{
    return t->unmatched;
}

bool pg_publication_is_reconciled(const struct pg_publication *t)
{
    return t->is_reconciled;
}

bool pg_publication_is_empty(const struct pg_publication *t)
{
    bool is_empty = !t->scan.main.has_all_tables && t->captured_count == 0;
    for (size_t i = 0; i < t->scan.count && is_empty; i++) {
        const struct pg_publication_entry *e = &t->scan.entries[i];
        is_empty = !e->is_matching || !is_published(t, e);
    }
    return is_empty;
}

void pg_publication_explain_none(const struct pg_publication *t, struct bytes *out)
{
    size_t matching = 0;
    for (size_t i = 0; i < t->scan.count; i++) {
        matching += t->scan.entries[i].is_matching ? 1 : 0;
    }
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_publication_scan_reconcile(&t->scan, t->config, t->inserts, t->has_inserts, true, &sql);
    if (sql.size > 0) {
        bytes_format(out, "publication %s has no tables yet; as an owner of the tables run: %s",
                     t->config->slot.publication, bytes_text(&sql));
    } else if (matching > 0) {
        bytes_format(
            out, "%zu tables match tables.include, but none can be captured: see the log for each of them",
            matching);
    } else {
        bytes_append_string(out, "no table matches tables.include yet");
    }
}
