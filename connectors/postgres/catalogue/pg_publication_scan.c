// One look at tables and publications, and the SQL between what is and what should be.
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_publication_private.h"
#include "connectors/postgres/catalogue/pg_relations.h"

// An UPDATE of a published table needs this: a usable primary key, an index chosen, or FULL. Partitions come
// in as their partitioned parent, so that new ones are published from their first row; only the parent's key
// is sure to be in all of them, and each of them must still have its identity.
#define PG_PUBLICATION_SCAN_IDENTITY                                                                         \
    "CASE WHEN c.relkind = 'p' OR c.relreplident = 'd' THEN EXISTS (SELECT FROM pg_index i WHERE"            \
    " i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate)"                            \
    " WHEN c.relreplident = 'i' THEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND"            \
    " i.indisreplident AND i.indisvalid) ELSE c.relreplident = 'f' END"

// PostgreSQL 18 refuses the UPDATE, too, when the identity has a generated column that is not published; of a
// partitioned table, each partition's counts.
#define PG_PUBLICATION_SCAN_GENERATED                                                                        \
    "c.relkind <> 'p' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0"      \
    " AND a.attgenerated <> '' AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE"            \
    " i.indrelid = c.oid AND a.attnum = ANY (i.indkey) AND CASE c.relreplident WHEN 'i'"                     \
    " THEN i.indisreplident ELSE i.indisprimary END)) AND (a.attgenerated <> 's' OR NOT EXISTS"              \
    " (SELECT FROM pg_publication p WHERE p.pubgencols = 's' AND p.pubname = "

// `server_version` 0: only tables that are listed by themselves.
static void pg_publication_scan_member(struct bytes *out, const char *publication, int server_version)
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

void pg_publication_scan_query(struct bytes *out, const char *publication, const char *inserts,
                               int server_version)
{
    bytes_append_string(out, "SELECT pubname, puballtables, pg_has_role(pubowner, 'USAGE'), pubviaroot"
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
    pg_publication_scan_member(out, publication, server_version);
    pg_publication_scan_member(out, inserts, server_version);
    pg_publication_scan_member(out, publication, 0);
    bytes_append_string(
        out, " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
             " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384"
             " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY c.oid");
}

static bool pg_publication_scan_true(const PGresult *r, int row, int field)
{
    return PQgetvalue(r, row, field)[0] == 't';
}

static void pg_publication_scan_publications(const PGresult *r, const char *publication,
                                             struct pg_publication_scan *ret)
{
    for (int row = 0; row < PQntuples(r); row++) {
        bool is_main = strcmp(PQgetvalue(r, row, 0), publication) == 0;
        struct pg_publication_object *p = is_main ? &ret->main : &ret->inserts;
        p->exists = true;
        p->has_all_tables = pg_publication_scan_true(r, row, 1);
        p->is_ours = pg_publication_scan_true(r, row, 2);
        p->is_via_root = pg_publication_scan_true(r, row, 3);
    }
}

static void pg_publication_scan_entry(const PGresult *r, int row, struct pg_publication_entry *ret)
{
    ret->oid = (uint32_t)strtoul(PQgetvalue(r, row, 0), NULL, 10);
    ret->schema = memory_string(PQgetvalue(r, row, 1));
    ret->name = memory_string(PQgetvalue(r, row, 2));
    ret->is_partitioned = pg_publication_scan_true(r, row, 3);
    ret->is_unlogged = pg_publication_scan_true(r, row, 4);
    ret->is_ours = pg_publication_scan_true(r, row, 5);
    ret->parent = (uint32_t)strtoul(PQgetvalue(r, row, 6), NULL, 10);
    bool has_identity = pg_publication_scan_true(r, row, 7);
    bool is_generated = pg_publication_scan_true(r, row, 8);
    ret->has_identity = has_identity && !is_generated;
    ret->is_identity_generated = has_identity && is_generated;
    ret->is_in_main = pg_publication_scan_true(r, row, 9);
    ret->is_in_inserts = pg_publication_scan_true(r, row, 10);
    ret->is_listed = pg_publication_scan_true(r, row, 11);
}

static int pg_publication_scan_compare(const void *a, const void *b)
{
    uint32_t x = ((const struct pg_publication_entry *)a)->oid;
    uint32_t y = ((const struct pg_publication_entry *)b)->oid;
    return (x > y) - (x < y);
}

struct pg_publication_entry *pg_publication_scan_find(const struct pg_publication_scan *s, uint32_t oid)
{
    struct pg_publication_entry key = {.oid = oid};
    return s->count == 0
               ? NULL
               : bsearch(&key, s->entries, s->count, sizeof(*s->entries), pg_publication_scan_compare);
}

// The next partitioned table above; NULL at the top.
static struct pg_publication_entry *pg_publication_scan_above(const struct pg_publication_scan *s,
                                                              const struct pg_publication_entry *e)
{
    return e->parent == 0 ? NULL : pg_publication_scan_find(s, e->parent);
}

struct pg_publication_entry *pg_publication_scan_root(const struct pg_publication_scan *s,
                                                      const struct pg_publication_entry *e)
{
    struct pg_publication_entry *root = NULL;
    struct pg_publication_entry *above = pg_publication_scan_above(s, e);
    for (; above != NULL; above = pg_publication_scan_above(s, above)) {
        root = above->is_matching ? above : root;
    }
    return root;
}

static void pg_publication_scan_match(const struct pg_publication_scan *s,
                                      const struct connector_config *config, struct pg_publication_entry *e)
{
    CLEANUP(text_list_clear) struct text_list ancestors = {0};
    const struct pg_publication_entry *above = pg_publication_scan_above(s, e);
    for (; above != NULL; above = pg_publication_scan_above(s, above)) {
        CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", above->schema, above->name);
        text_list_add(&ancestors, full);
    }
    e->is_matching = pg_relations_wants(config, e->schema, e->name, &ancestors);
}

// A partition that the application could not update takes the tables above it out of the publication.
static void pg_publication_scan_spread(const struct pg_publication_scan *s,
                                       const struct pg_publication_entry *e)
{
    if (e->is_partitioned || e->is_unlogged || e->has_identity) {
        return;
    }
    struct pg_publication_entry *above = pg_publication_scan_above(s, e);
    for (; above != NULL; above = pg_publication_scan_above(s, above)) {
        above->has_identity = false;
    }
}

static bool pg_publication_scan_inserts_only(const struct pg_publication_scan *s,
                                             const struct connector_config *config,
                                             const struct pg_publication_entry *e)
{
    bool is_listed = false;
    for (; e != NULL && !is_listed; e = pg_publication_scan_above(s, e)) {
        CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
        is_listed = text_list_glob_match(&config->tables.publish_inserts_only, full);
    }
    return is_listed;
}

static void pg_publication_scan_place(const struct pg_publication_scan *s,
                                      const struct connector_config *config, struct pg_publication_entry *e)
{
    e->wanted = PG_PUBLICATION_NONE;
    if (!e->is_matching || e->is_unlogged) {
        return;
    }
    if (e->has_identity) {
        e->wanted = PG_PUBLICATION_MAIN;
    } else if (pg_publication_scan_inserts_only(s, config, e)) {
        e->wanted = PG_PUBLICATION_INSERTS;
    }
}

// A partition comes with the highest table above it that is published, and is not published by itself; where
// that one has inserts only, a partition with an identity is published for its updates and deletes too.
static void pg_publication_scan_cover(const struct pg_publication_scan *s, struct pg_publication_entry *e)
{
    enum pg_publication_place place = e->wanted;
    const struct pg_publication_entry *above = pg_publication_scan_above(s, e);
    for (; above != NULL; above = pg_publication_scan_above(s, above)) {
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

void pg_publication_scan_read(PGresult *const *results, const struct connector_config *config,
                              struct pg_publication_scan *ret)
{
    struct pg_publication_scan s = {0};
    pg_publication_scan_publications(results[0], config->slot.publication, &s);
    s.count = (size_t)PQntuples(results[1]);
    s.entries = memory_zeroed(s.count, sizeof(*s.entries));
    for (size_t i = 0; i < s.count; i++) {
        pg_publication_scan_entry(results[1], (int)i, &s.entries[i]);
    }
    for (size_t i = 0; i < s.count; i++) {
        pg_publication_scan_match(&s, config, &s.entries[i]);
        pg_publication_scan_spread(&s, &s.entries[i]);
    }
    for (size_t i = 0; i < s.count; i++) {
        pg_publication_scan_place(&s, config, &s.entries[i]);
    }
    for (size_t i = 0; i < s.count; i++) {
        pg_publication_scan_cover(&s, &s.entries[i]);
    }
    *ret = s;
}

void pg_publication_scan_clear(struct pg_publication_scan *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->entries[i].schema);
        free(s->entries[i].name);
    }
    free(s->entries);
    *s = (struct pg_publication_scan){0};
}

// The publications that are asked for, and for whom.
struct pg_publication_wish {
    const struct pg_publication_scan *scan;
    bool is_for_owner;  // with the tables that only their owner can add
};

// `verb` before the first of the tables that must change, a comma before the others.
static void pg_publication_scan_list(const struct pg_publication_wish *w, enum pg_publication_place place,
                                     bool is_adding, const char *verb, struct bytes *out)
{
    const char *before = verb;
    for (size_t i = 0; i < w->scan->count; i++) {
        const struct pg_publication_entry *e = &w->scan->entries[i];
        bool is_in = place == PG_PUBLICATION_MAIN ? e->is_in_main : e->is_in_inserts;
        bool is_possible = e->is_ours || w->is_for_owner;
        if (!is_possible || is_in == is_adding || (e->wanted == place) != is_adding) {
            continue;
        }
        bytes_append_string(out, before);
        before = ", ";
        // ONLY keeps tables that inherit from it in the old way out: they match by their own names.
        bytes_append_string(out, e->is_partitioned ? "" : "ONLY ");
        pg_conn_quote_name(out, e->schema);
        bytes_append_string(out, ".");
        pg_conn_quote_name(out, e->name);
    }
    if (before != verb) {
        bytes_append_string(out, is_adding ? ";" : "; ");
    }
}

static void pg_publication_scan_make(const struct pg_publication_wish *w, const char *name,
                                     enum pg_publication_place place, struct bytes *out)
{
    bytes_append_string(out, "CREATE PUBLICATION ");
    pg_conn_quote_name(out, name);
    pg_publication_scan_list(w, place, true, " FOR TABLE ", out);
    if (out->data[out->size - 1] == ';') {
        out->size--;
    }
    bytes_append_string(out, place == PG_PUBLICATION_MAIN ? " WITH (publish = 'insert, update, delete');"
                                                          : " WITH (publish = 'insert');");
}

static void pg_publication_scan_alter(const struct pg_publication_wish *w, const char *name,
                                      enum pg_publication_place place, bool is_adding, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes verb = {0};
    bytes_append_string(&verb, "ALTER PUBLICATION ");
    pg_conn_quote_name(&verb, name);
    bytes_append_string(&verb, is_adding ? " ADD TABLE " : " DROP TABLE ");
    pg_publication_scan_list(w, place, is_adding, bytes_text(&verb), out);
}

static void pg_publication_scan_reconcile_one(const struct pg_publication_wish *w, const char *name,
                                              enum pg_publication_place place, bool is_adding,
                                              struct bytes *out)
{
    const struct pg_publication_object *p = place == PG_PUBLICATION_MAIN ? &w->scan->main : &w->scan->inserts;
    if (!p->exists) {
        if (is_adding) {
            pg_publication_scan_make(w, name, place, out);
        }
    } else if (!p->has_all_tables) {
        pg_publication_scan_alter(w, name, place, is_adding, out);
    }
}

void pg_publication_scan_reconcile(const struct pg_publication_scan *s, const char *publication,
                                   const char *inserts, bool has_inserts, bool is_for_owner,
                                   struct bytes *out)
{
    const struct pg_publication_wish w = {s, is_for_owner};
    // Out of one before into the other: between the two statements nothing is published twice.
    pg_publication_scan_reconcile_one(&w, publication, PG_PUBLICATION_MAIN, false, out);
    if (has_inserts) {
        pg_publication_scan_reconcile_one(&w, inserts, PG_PUBLICATION_INSERTS, false, out);
        pg_publication_scan_reconcile_one(&w, inserts, PG_PUBLICATION_INSERTS, true, out);
    }
    pg_publication_scan_reconcile_one(&w, publication, PG_PUBLICATION_MAIN, true, out);
}

static bool pg_publication_scan_is_in(const struct pg_publication_entry *e)
{
    return e != NULL && (e->is_in_main || e->is_in_inserts);
}

bool pg_publication_scan_is_new(const struct pg_publication_scan *s, const struct pg_publication_scan *before,
                                const struct pg_publication_entry *e, bool can_change)
{
    if (!e->is_matching || s->main.has_all_tables) {
        return false;
    }
    const struct pg_publication_entry *above = pg_publication_scan_above(s, e);
    for (; above != NULL; above = pg_publication_scan_above(s, above)) {
        if (pg_publication_scan_is_in(above)) {
            return false;
        }
    }
    if (pg_publication_scan_is_in(e)) {
        return e->is_listed && before != NULL &&
               !pg_publication_scan_is_in(pg_publication_scan_find(before, e->oid));
    }
    return can_change && e->is_ours && e->wanted != PG_PUBLICATION_NONE &&
           (e->wanted == PG_PUBLICATION_INSERTS || s->main.exists);
}
