// Scans tables and publications, and makes the SQL that changes the publications.
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_publication_private.h"
#include "connectors/postgres/catalogue/table_filter.h"

// UPDATE of a published table requires a replica identity: a valid primary key, a chosen index, or FULL.
// Instead of partitions their partitioned table is added, so that new partitions are published from their
// first row. Only the partitioned table's primary key exists in all partitions; each partition must have an
// identity of its own too.
#define PG_PUBLICATION_SCAN_IDENTITY                                                                         \
    "CASE WHEN c.relkind = 'p' OR c.relreplident = 'd' THEN EXISTS (SELECT FROM pg_index i WHERE"            \
    " i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate)"                            \
    " WHEN c.relreplident = 'i' THEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND"            \
    " i.indisreplident AND i.indisvalid) ELSE c.relreplident = 'f' END"

// PostgreSQL 18 also refuses the UPDATE when the identity has a generated column that is not published. For a
// partitioned table each partition's identity counts.
#define PG_PUBLICATION_SCAN_GENERATED                                                                        \
    "c.relkind <> 'p' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0"      \
    " AND a.attgenerated <> '' AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE"            \
    " i.indrelid = c.oid AND a.attnum = ANY (i.indkey) AND CASE c.relreplident WHEN 'i'"                     \
    " THEN i.indisreplident ELSE i.indisprimary END)) AND (a.attgenerated <> 's' OR NOT EXISTS"              \
    " (SELECT FROM pg_publication p WHERE p.pubgencols = 's' AND p.pubname = "

// `server_version` 0: only tables that are listed by name.
static void append_membership(struct bytes *out, const char *publication, int server_version)
{
    bytes_append_string(
        out, ", EXISTS (SELECT FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid"
             " WHERE r.prrelid = c.oid AND p.pubname = ");
    pg_conn_quote_text(out, publication);
    if (server_version >= 150000) {
        bytes_append_string(out,
                            ") OR EXISTS (SELECT FROM pg_publication p JOIN pg_publication_namespace r ON"
                            " r.pnpubid = p.oid WHERE r.pnnspid = c.relnamespace AND p.pubname = ");
        pg_conn_quote_text(out, publication);
    }
    bytes_append_string(out, ")");
}

void pg_publication_scan_query(struct bytes *out, const struct connector_config *config, const char *inserts,
                               int server_version)
{
    const char *publication = config->slot.publication;
    bytes_append_string(
        out, "SELECT pubname, puballtables, pg_has_role(pubowner, 'USAGE'), pubviaroot,"
             " pubinsert, pubupdate, pubdelete, obj_description(oid, 'pg_publication'), pubtruncate"
             " FROM pg_publication WHERE pubname IN (");
    pg_conn_quote_text(out, publication);
    bytes_append_string(out, ", ");
    pg_conn_quote_text(out, inserts);
    bytes_append_string(
        out, ");SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', c.relpersistence = 'u',"
             " pg_has_role(c.relowner, 'USAGE'), coalesce((SELECT h.inhparent FROM pg_inherits h WHERE"
             " h.inhrelid = c.oid AND c.relispartition LIMIT 1), 0), " PG_PUBLICATION_SCAN_IDENTITY ", ");
    if (server_version >= 180000) {
        bytes_append_string(out, PG_PUBLICATION_SCAN_GENERATED);
        pg_conn_quote_text(out, publication);
        bytes_append_string(out, ")))");
    } else {
        bytes_append_string(out, "false");
    }
    append_membership(out, publication, server_version);
    append_membership(out, inserts, server_version);
    append_membership(out, publication, 0);
    bytes_append_string(
        out, " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
             " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384"
             " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY c.oid");
    pg_publication_select_query(out, config, inserts, server_version);
    // The locks that keep ALTER PUBLICATION … ADD TABLE waiting; sessions that wait for one count too. An
    // autovacuum gives way.
    bytes_append_string(
        out, ";SELECT l.relation, CASE WHEN l.pid IS NULL THEN format('%s by a prepared transaction (see"
             " pg_prepared_xacts)', l.mode) ELSE format('%s by process %s (%s)', l.mode, l.pid,"
             " left(a.query, 100)) END FROM"
             " pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'relation' AND"
             " l.relation >= 16384 AND l.pid IS DISTINCT FROM pg_backend_pid() AND (l.mode IN ('ShareLock',"
             " 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') OR (l.mode ="
             " 'ShareUpdateExclusiveLock' AND (l.pid IS NULL OR a.backend_type = 'client backend'))) AND"
             " l.database ="
             " (SELECT oid FROM pg_database WHERE datname = current_database())");
}

static bool get_bool(const PGresult *r, int row, int field)
{
    return PQgetvalue(r, row, field)[0] == 't';
}

static void read_publications(const PGresult *r, const char *publication, struct pg_publication_scan *ret)
{
    for (int row = 0; row < PQntuples(r); row++) {
        bool is_main = strcmp(PQgetvalue(r, row, 0), publication) == 0;
        struct pg_publication_object *p = is_main ? &ret->main : &ret->inserts;
        p->exists = true;
        p->has_all_tables = get_bool(r, row, 1);
        p->is_ours = get_bool(r, row, 2);
        p->is_via_root = get_bool(r, row, 3);
        p->operations = (get_bool(r, row, 4) ? CONNECTOR_CREATE : 0U) |
                        (get_bool(r, row, 5) ? CONNECTOR_UPDATE : 0U) |
                        (get_bool(r, row, 6) ? CONNECTOR_DELETE : 0U);
        p->comment = PQgetisnull(r, row, 7) ? NULL : memory_string(PQgetvalue(r, row, 7));
        p->has_truncate = get_bool(r, row, 8);
    }
}

static void read_entry(const PGresult *r, int row, struct pg_publication_entry *ret)
{
    ret->oid = (uint32_t)strtoul(PQgetvalue(r, row, 0), NULL, 10);
    ret->schema = memory_string(PQgetvalue(r, row, 1));
    ret->name = memory_string(PQgetvalue(r, row, 2));
    ret->is_partitioned = get_bool(r, row, 3);
    ret->is_unlogged = get_bool(r, row, 4);
    ret->is_ours = get_bool(r, row, 5);
    ret->parent = (uint32_t)strtoul(PQgetvalue(r, row, 6), NULL, 10);
    bool has_identity = get_bool(r, row, 7);
    bool is_generated = get_bool(r, row, 8);
    ret->has_identity = has_identity && !is_generated;
    ret->is_identity_generated = has_identity && is_generated;
    ret->is_in_main = get_bool(r, row, 9);
    ret->is_in_inserts = get_bool(r, row, 10);
    ret->is_listed = get_bool(r, row, 11);
}

static int compare_oids(const void *a, const void *b)
{
    uint32_t x = ((const struct pg_publication_entry *)a)->oid;
    uint32_t y = ((const struct pg_publication_entry *)b)->oid;
    return (x > y) - (x < y);
}

struct pg_publication_entry *pg_publication_scan_find(const struct pg_publication_scan *s, uint32_t oid)
{
    struct pg_publication_entry key = {.oid = oid};
    return s->count == 0 ? NULL : bsearch(&key, s->entries, s->count, sizeof(*s->entries), compare_oids);
}

// The partitioned table directly above; NULL at the top.
static struct pg_publication_entry *parent_of(const struct pg_publication_scan *s,
                                              const struct pg_publication_entry *e)
{
    return e->parent == 0 ? NULL : pg_publication_scan_find(s, e->parent);
}

struct pg_publication_entry *pg_publication_scan_root(const struct pg_publication_scan *s,
                                                      const struct pg_publication_entry *e)
{
    struct pg_publication_entry *root = NULL;
    struct pg_publication_entry *above = parent_of(s, e);
    for (; above != NULL; above = parent_of(s, above)) {
        root = above->is_matching ? above : root;
    }
    return root;
}

static void set_matching(const struct pg_publication_scan *s, const struct connector_config *config,
                         struct pg_publication_entry *e)
{
    CLEANUP(text_list_clear) struct text_list ancestors = {0};
    const struct pg_publication_entry *above = parent_of(s, e);
    for (; above != NULL; above = parent_of(s, above)) {
        CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", above->schema, above->name);
        text_list_add(&ancestors, full);
    }
    struct fault f;
    bool is_selected = table_filter_matches(config, e->schema, e->name, &ancestors);
    e->is_matching = is_selected && table_filter_has_topic(config, e->schema, e->name, &f);
    e->topic_refusal = is_selected && !e->is_matching ? memory_string(f.text) : NULL;
}

// A partition without identity could not be updated, so the tables above it must not be published either.
static void spread_missing_identity(const struct pg_publication_scan *s, const struct pg_publication_entry *e)
{
    if (e->is_partitioned || e->is_unlogged || e->has_identity) {
        return;
    }
    struct pg_publication_entry *above = parent_of(s, e);
    for (; above != NULL; above = parent_of(s, above)) {
        above->has_identity = false;
    }
}

static bool is_inserts_only(const struct pg_publication_scan *s, const struct connector_config *config,
                            const struct pg_publication_entry *e)
{
    bool is_listed = false;
    for (; e != NULL && !is_listed; e = parent_of(s, e)) {
        CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
        is_listed = text_list_name_match(&config->tables.publish_inserts_only, full);
    }
    return is_listed;
}

static void choose_publication(const struct pg_publication_scan *s, const struct connector_config *config,
                               struct pg_publication_entry *e)
{
    e->wanted = PG_PUBLICATION_NONE;
    if (!e->is_matching || e->is_unlogged) {
        return;
    }
    if (e->has_identity) {
        e->wanted = PG_PUBLICATION_MAIN;
    } else if (is_inserts_only(s, config, e)) {
        e->wanted = PG_PUBLICATION_INSERTS;
    }
}

// A partition is published through the topmost published table above it, not by itself. If that one is
// published for inserts only, a partition with an identity is added to the main publication for its updates
// and deletes.
static void set_cover(const struct pg_publication_scan *s, struct pg_publication_entry *e)
{
    enum pg_publication_place place = e->wanted;
    const struct pg_publication_entry *above = parent_of(s, e);
    for (; above != NULL; above = parent_of(s, above)) {
        if (above->wanted == PG_PUBLICATION_MAIN ||
            (above->wanted == PG_PUBLICATION_INSERTS && place != PG_PUBLICATION_MAIN)) {
            e->cover = above->oid;
            place = above->wanted;
        }
    }
    if (e->cover != 0) {
        e->wanted = PG_PUBLICATION_NONE;
    }
    bool is_via_root = place == PG_PUBLICATION_INSERTS ? s->inserts.is_via_root : s->main.is_via_root;
    bool is_own_topic = e->is_partitioned ? is_via_root && e->cover == 0 : !is_via_root || e->cover == 0;
    e->is_captured = e->is_matching && !e->is_unlogged && place != PG_PUBLICATION_NONE && is_own_topic;
}

// One table that is locked would keep all others from being added: it waits for a later scan. A table whose
// selection changes does not: it must not be published with the old one.
static void leave_out_locked(const PGresult *locks, struct pg_publication_scan *s)
{
    for (int row = 0; row < PQntuples(locks) && !s->main.has_all_tables; row++) {
        uint32_t oid = (uint32_t)strtoul(PQgetvalue(locks, row, 0), NULL, 10);
        struct pg_publication_entry *e = pg_publication_scan_find(s, oid);
        bool is_added = e != NULL && !e->is_in_main && !e->is_in_inserts && e->wanted != PG_PUBLICATION_NONE;
        if (is_added && e->is_ours) {
            e->lock_holder = memory_string(PQgetvalue(locks, row, 1));
            e->wanted = PG_PUBLICATION_NONE;
            s->has_locked = true;
        }
    }
}

void pg_publication_scan_read(PGresult *const *results, const struct connector_config *config,
                              struct pg_publication_scan *ret)
{
    struct pg_publication_scan s = {.server_version = ret->server_version};
    read_publications(results[0], config->slot.publication, &s);
    s.count = (size_t)PQntuples(results[1]);
    s.entries = memory_zeroed(s.count, sizeof(*s.entries));
    for (size_t i = 0; i < s.count; i++) {
        read_entry(results[1], (int)i, &s.entries[i]);
    }
    for (size_t i = 0; i < s.count; i++) {
        set_matching(&s, config, &s.entries[i]);
        spread_missing_identity(&s, &s.entries[i]);
    }
    for (size_t i = 0; i < s.count; i++) {
        choose_publication(&s, config, &s.entries[i]);
    }
    for (size_t i = 0; i < s.count; i++) {
        set_cover(&s, &s.entries[i]);
    }
    pg_publication_select_read(results + 2, config, &s);
    leave_out_locked(results[4], &s);
    *ret = s;
}

void pg_publication_scan_clear(struct pg_publication_scan *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->entries[i].schema);
        free(s->entries[i].name);
        free(s->entries[i].lock_holder);
        free(s->entries[i].topic_refusal);
        pg_publication_select_clear(&s->entries[i]);
    }
    free(s->entries);
    free(s->main.comment);
    free(s->inserts.comment);
    *s = (struct pg_publication_scan){0};
}

// What pg_publication_scan_reconcile works on.
struct reconciliation {
    const struct pg_publication_scan *scan;
    const struct connector_config *config;
    bool is_for_owner;  // include the tables that only their owner can add
};

// Appends the tables to add or remove: `verb` before the first one, commas between them.
static void append_tables(const struct reconciliation *w, enum pg_publication_place place, bool is_adding,
                          const char *verb, struct bytes *out)
{
    const char *before = verb;
    for (size_t i = 0; i < w->scan->count; i++) {
        const struct pg_publication_entry *e = &w->scan->entries[i];
        bool is_in = place == PG_PUBLICATION_MAIN ? e->is_in_main : e->is_in_inserts;
        bool is_possible = e->is_ours || w->is_for_owner;
        bool is_again = is_in && e->wanted == place && e->is_outdated && (e->is_listed || !e->is_in_main);
        if (!is_possible || (!is_again && (is_in == is_adding || (e->wanted == place) != is_adding))) {
            continue;
        }
        bytes_append_string(out, before);
        before = ", ";
        // ONLY excludes tables that inherit from it (INHERITS): they are matched by their own names.
        bytes_append_string(out, e->is_partitioned ? "" : "ONLY ");
        pg_conn_quote_name(out, e->schema);
        bytes_append_string(out, ".");
        pg_conn_quote_name(out, e->name);
        if (is_adding) {
            pg_publication_select_append(e, out);
        }
    }
    if (before != verb) {
        bytes_append_string(out, is_adding ? ";" : "; ");
    }
}

static void append_create(const struct reconciliation *w, const char *name, enum pg_publication_place place,
                          struct bytes *out)
{
    bytes_append_string(out, "CREATE PUBLICATION ");
    pg_conn_quote_name(out, name);
    append_tables(w, place, true, " FOR TABLE ", out);
    if (out->data[out->size - 1] == ';') {
        out->size--;
    }
    bytes_append_string(out, " WITH (publish = '");
    if (place == PG_PUBLICATION_MAIN) {
        pg_publication_select_append_publish(w->config, out);
    } else {
        bytes_append_string(out, w->config->truncate ? "insert, truncate" : "insert");
    }
    bytes_append_string(out, "');");
}

static void append_alter(const struct reconciliation *w, const char *name, enum pg_publication_place place,
                         bool is_adding, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes verb = {0};
    bytes_append_string(&verb, "ALTER PUBLICATION ");
    pg_conn_quote_name(&verb, name);
    bytes_append_string(&verb, is_adding ? " ADD TABLE " : " DROP TABLE ");
    append_tables(w, place, is_adding, bytes_text(&verb), out);
}

static void reconcile_one(const struct reconciliation *w, const char *name, enum pg_publication_place place,
                          bool is_adding, struct bytes *out)
{
    const struct pg_publication_object *p = place == PG_PUBLICATION_MAIN ? &w->scan->main : &w->scan->inserts;
    if (!p->exists) {
        if (is_adding) {
            append_create(w, name, place, out);
        }
        return;
    }
    if (is_adding && place == PG_PUBLICATION_INSERTS && w->config->truncate && !p->has_truncate) {
        bytes_append_string(out, "ALTER PUBLICATION ");
        pg_conn_quote_name(out, name);
        bytes_append_string(out, " SET (publish = 'insert, truncate'); ");
    }
    if (!p->has_all_tables) {
        append_alter(w, name, place, is_adding, out);
    }
}

void pg_publication_scan_reconcile(const struct pg_publication_scan *s, const struct connector_config *config,
                                   const char *inserts, bool has_inserts, bool is_for_owner,
                                   struct bytes *out)
{
    const struct reconciliation w = {s, config, is_for_owner};
    const char *publication = config->slot.publication;
    // Remove tables from the one before adding them to the other, so that no change is published twice.
    reconcile_one(&w, publication, PG_PUBLICATION_MAIN, false, out);
    if (has_inserts) {
        reconcile_one(&w, inserts, PG_PUBLICATION_INSERTS, false, out);
        reconcile_one(&w, inserts, PG_PUBLICATION_INSERTS, true, out);
    }
    reconcile_one(&w, publication, PG_PUBLICATION_MAIN, true, out);
    pg_publication_select_append_end(s, config, out);
}

static bool is_published(const struct pg_publication_entry *e)
{
    return e != NULL && (e->is_in_main || e->is_in_inserts);
}

bool pg_publication_scan_is_new(const struct pg_publication_scan *s, const struct pg_publication_scan *before,
                                const struct pg_publication_entry *e, bool can_change)
{
    if (!e->is_matching || s->main.has_all_tables) {
        return false;
    }
    const struct pg_publication_entry *above = parent_of(s, e);
    for (; above != NULL; above = parent_of(s, above)) {
        if (is_published(above)) {
            return false;
        }
    }
    if (is_published(e)) {
        return e->is_listed && before != NULL && !is_published(pg_publication_scan_find(before, e->oid));
    }
    return can_change && e->is_ours && e->wanted != PG_PUBLICATION_NONE &&
           (e->wanted == PG_PUBLICATION_INSERTS || s->main.exists);
}
