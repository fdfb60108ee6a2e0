// Columns, rows and operations that the publication selects: what it has, what the configuration wants, and
// why it can't have it.
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_publication_private.h"

enum { PG_WITH_SELECTION = 150000 };  // the first version with row filters and column lists

// Begins the comment of a publication whose selection is the configuration's.
static const char MARK[] = "millrace: selection ";

void pg_publication_select_query(struct bytes *out, const struct connector_config *config,
                                 const char *inserts, int server_version)
{
    if (server_version < PG_WITH_SELECTION) {
        bytes_append_string(out, ";SELECT 0 WHERE false;SELECT 0 WHERE false");
        return;
    }
    bytes_append_string(
        out, ";SELECT r.prrelid, r.prqual IS NOT NULL, (SELECT string_agg(quote_ident(a.attname), ', ' ORDER "
             "BY a.attnum) FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))"
             " FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE (r.prqual IS NOT "
             "NULL OR r.prattrs IS NOT NULL) AND p.pubname IN (");
    pg_conn_quote_text(out, config->slot.publication);
    bytes_append_string(out, ", ");
    pg_conn_quote_text(out, inserts);
    if (config->columns.include.count + config->columns.exclude.count == 0) {
        bytes_append_string(out, ");SELECT 0 WHERE false");
        return;
    }
    bytes_append_string(
        out, ");SELECT a.attrelid, a.attname, quote_ident(a.attname), EXISTS (SELECT FROM pg_index i WHERE"
             " i.indrelid = c.oid AND a.attnum = ANY (i.indkey) AND (i.indisprimary OR i.indisreplident)),"
             " c.relreplident = 'f' FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attnum "
             "> 0 AND NOT a.attisdropped AND a.attgenerated = '' AND c.relkind IN ('r', 'p') AND"
             " c.relpersistence <> 't' AND c.oid >= 16384 ORDER BY a.attrelid, a.attnum");
}

static uint32_t oid_of(const PGresult *r, int row)
{
    return (uint32_t)strtoul(PQgetvalue(r, row, 0), NULL, 10);
}

static bool is_selecting(const struct connector_config *config)
{
    return config->rows.count + config->columns.include.count > 0;
}

static char *mark_of(const struct connector_config *config)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    for (size_t i = 0; i < config->rows.count; i++) {
        bytes_format(&text, "%s\n%s\n", config->rows.items[i].key, config->rows.items[i].value);
    }
    return memory_format("%s%016llx", MARK, (unsigned long long)text_hash(bytes_slice(&text)));
}

// The columns of entry `e` begin at `row`; returns the row behind them.
static int read_columns(const PGresult *r, int row, const struct connector_config *config,
                        struct pg_publication_entry *e)
{
    const struct text_list none = {0};
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    CLEANUP(bytes_clear) struct bytes list = {0};
    bool has_all = true;
    bool is_full = false;
    for (; row < PQntuples(r) && oid_of(r, row) == e->oid; row++) {
        const char *name = PQgetvalue(r, row, 1);
        bool is_key = PQgetvalue(r, row, 3)[0] == 't';
        bool is_wanted = connector_config_has_column(config, full, &none, name);
        is_full = PQgetvalue(r, row, 4)[0] == 't';
        if (is_wanted || is_key) {
            bytes_format(&list, "%s%s", list.size == 0 ? "" : ", ", PQgetvalue(r, row, 2));
        }
        has_all = has_all && (is_wanted || is_key);
        CLEANUP(memory_free_pointer) char *column = memory_format("%s.%s", full, name);
        if (is_key && e->excluded_key == NULL && text_list_name_match(&config->columns.exclude, column)) {
            e->excluded_key = memory_string(name);
        }
    }
    // UPDATE fails if the list lacks a column of the identity, which has all of them with FULL.
    bool is_listed = config->columns.include.count > 0 && !has_all && !is_full && !e->is_partitioned;
    e->wanted_columns = is_listed ? memory_string(bytes_text(&list)) : NULL;
    return row;
}

static void set_wanted(const struct connector_config *config, bool is_marked, struct pg_publication_entry *e)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    e->wanted_filter = connector_config_row_filter(config, full);
    bool is_filter_same = e->wanted_filter == NULL ? !e->has_filter : e->has_filter && is_marked;
    e->is_outdated = !is_filter_same || !text_is_same(e->columns, e->wanted_columns);
}

void pg_publication_select_read(PGresult *const *results, const struct connector_config *config,
                                struct pg_publication_scan *io)
{
    const PGresult *published = results[0];
    const PGresult *columns = results[1];
    CLEANUP(memory_free_pointer) char *mark = mark_of(config);
    for (int row = 0; row < PQntuples(published); row++) {
        struct pg_publication_entry *e = pg_publication_scan_find(io, oid_of(published, row));
        if (e != NULL) {
            e->has_filter = PQgetvalue(published, row, 1)[0] == 't';
            free(e->columns);
            e->columns = PQgetisnull(published, row, 2) ? NULL : memory_string(PQgetvalue(published, row, 2));
        }
    }
    for (int row = 0; row < PQntuples(columns);) {
        struct pg_publication_entry *e = pg_publication_scan_find(io, oid_of(columns, row));
        row = e == NULL ? row + 1 : read_columns(columns, row, config, e);
    }
    const char *comment = io->main.comment == NULL ? "" : io->main.comment;
    bool is_marked = strcmp(comment, mark) == 0;
    if (!is_selecting(config) && strncmp(comment, MARK, sizeof(MARK) - 1) != 0) {
        return;  // a selection that was made by hand is left as it is
    }
    io->is_mark_due = !is_marked || !is_selecting(config);
    for (size_t i = 0; i < io->count; i++) {
        set_wanted(config, is_marked, &io->entries[i]);
    }
}

// --- SQL ---

void pg_publication_select_append(const struct pg_publication_entry *e, struct bytes *out)
{
    if (e->wanted_columns != NULL) {
        bytes_format(out, " (%s)", e->wanted_columns);
    }
    if (e->wanted_filter != NULL) {
        bytes_format(out, " WHERE (%s)", e->wanted_filter);
    }
}

void pg_publication_select_append_publish(const struct connector_config *config, struct bytes *out)
{
    static const struct {
        enum connector_operation operation;
        const char *word;
    } words[] = {{CONNECTOR_CREATE, "insert"}, {CONNECTOR_UPDATE, "update"}, {CONNECTOR_DELETE, "delete"}};
    const char *before = "";
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if ((config->operations & words[i].operation) != 0) {
            bytes_format(out, "%s%s", before, words[i].word);
            before = ", ";
        }
    }
    if (config->truncate) {
        bytes_format(out, "%struncate", before);
    }
}

// A publication that sends TRUNCATE unasked is left as it is.
static bool is_publish_due(const struct pg_publication_scan *s, const struct connector_config *config)
{
    return s->main.operations != config->operations || (config->truncate && !s->main.has_truncate);
}

// The server accepts such a filter, and refuses the application's UPDATE instead.
static void append_check(const char *publication, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes name = {0};
    pg_conn_quote_text(&name, publication);
    bytes_format(
        out,
        "DO $millrace$ DECLARE bad record; BEGIN SELECT format('%%s.%%s', n.nspname, c.relname) AS name, "
        "format('%%I.%%I', n.nspname, c.relname) AS quoted, string_agg(a.attname, ', ') AS columns INTO bad "
        "FROM pg_publication p "
        "JOIN "
        "pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n "
        "ON "
        "n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE p.pubname = "
        "%s AND (p.pubupdate OR p.pubdelete) AND c.relreplident <> 'f' AND r.prqual::text LIKE "
        "format('%%%%:varattno %%s %%%%', a.attnum) AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid "
        "= "
        "c.oid AND a.attnum = ANY (i.indkey) AND CASE c.relreplident WHEN 'i' THEN i.indisreplident ELSE "
        "i.indisprimary END) GROUP BY 1, 2 LIMIT 1; IF FOUND THEN RAISE EXCEPTION 'rows: the filter of %% "
        "uses "
        "%%, which its replica identity lacks: UPDATE and DELETE of the table would fail; run: ALTER TABLE "
        "%% "
        "REPLICA IDENTITY FULL; or take them out of operations', bad.name, bad.columns, bad.quoted; END IF; "
        "END $millrace$;",
        bytes_text(&name));
}

void pg_publication_select_append_end(const struct pg_publication_scan *s,
                                      const struct connector_config *config, struct bytes *out)
{
    if (s->main.exists && !s->main.has_all_tables && is_publish_due(s, config)) {
        bytes_append_string(out, "ALTER PUBLICATION ");
        pg_conn_quote_name(out, config->slot.publication);
        bytes_append_string(out, " SET (publish = '");
        pg_publication_select_append_publish(config, out);
        bytes_append_string(out, "');");
    }
    if (s->is_mark_due || (!s->main.exists && is_selecting(config))) {
        CLEANUP(memory_free_pointer) char *mark = mark_of(config);
        bytes_append_string(out, "COMMENT ON PUBLICATION ");
        pg_conn_quote_name(out, config->slot.publication);
        bytes_format(out, is_selecting(config) ? " IS '%s';" : " IS NULL;", mark);
    }
    if (out->size > 0 && config->rows.count > 0) {
        append_check(config->slot.publication, out);
    }
}

// --- what can't be ---

static bool check_filter(const struct pg_publication_scan *s, const struct pg_publication_entry *e,
                         const char *publication, struct fault *f)
{
    if (s->server_version < PG_WITH_SELECTION) {
        return fault_set(f, FAULT_CONFIG, "rows: %s.%s: row filters need PostgreSQL 15", e->schema, e->name);
    }
    if (e->is_partitioned || e->cover != 0) {
        return fault_set(
            f, FAULT_CONFIG,
            "rows: %s.%s: the server has no row filters for a partitioned table whose partitions "
            "are published by their own names; take it out of rows",
            e->schema, e->name);
    }
    bool is_by_schema = e->is_in_main && !e->is_listed;
    if (s->main.has_all_tables || is_by_schema) {
        return fault_set(
            f, FAULT_CONFIG,
            "rows: %s.%s: publication %s has it by FOR ALL TABLES or FOR TABLES IN SCHEMA, which "
            "allow no row filter; use another publication (slot.publication)",
            e->schema, e->name, publication);
    }
    return true;
}

bool pg_publication_select_check(const struct pg_publication *t, bool can_change, struct fault *f)
{
    const struct pg_publication_scan *s = &t->scan;
    for (size_t i = 0; i < s->count; i++) {
        const struct pg_publication_entry *e = &s->entries[i];
        if (!e->is_matching || e->is_unlogged) {
            continue;
        }
        if (e->excluded_key != NULL) {
            return fault_set(f, FAULT_CONFIG,
                             "columns: %s.%s: column %s is part of the primary key or replica identity and "
                             "can't be left out; take it out of columns.exclude",
                             e->schema, e->name, e->excluded_key);
        }
        if (e->wanted_filter != NULL && !check_filter(s, e, t->config->slot.publication, f)) {
            return false;
        }
        bool is_published = e->is_in_main || e->is_in_inserts;
        if (e->wanted_filter != NULL && is_published && e->is_outdated && !can_change) {
            CLEANUP(bytes_clear) struct bytes sql = {0};
            pg_publication_scan_reconcile(s, t->config, t->inserts, t->has_inserts, true, &sql);
            return fault_set(f, FAULT_CONFIG,
                             "rows: %s.%s: publication %s has another row filter, or none, and we may not "
                             "change it; as its owner run: %s",
                             e->schema, e->name, t->config->slot.publication, bytes_text(&sql));
        }
    }
    return true;
}

void pg_publication_select_clear(struct pg_publication_entry *e)
{
    free(e->columns);
    free(e->wanted_columns);
    free(e->excluded_key);
}
