// What keeps matching tables out of the publications, said once with what to type.
#include "connectors/postgres/catalogue/pg_tables_private.h"
#include "core/base/log.h"

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

static void pg_tables_warn_identity(struct pg_tables *t, const struct pg_tables_entry *e)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    const struct log_value *values = LOG_WITH(LOG_TEXT("table", full));
    if (e->wanted == PG_TABLES_INSERTS && !t->scan.main.has_all_tables) {
        log_warn(t->component, "table_inserts_only", values,
                 "%s has no replica identity: only its inserts are published", full);
    } else if (e->is_identity_generated) {
        log_warn(t->component, "table_without_identity", values,
                 "%s is not published, because its UPDATE and DELETE would fail: its replica identity has a "
                 "generated column. It needs a primary key without one, and REPLICA IDENTITY DEFAULT; stored "
                 "ones can be published: ALTER PUBLICATION \"%s\" SET (publish_generated_columns = stored);",
                 full, t->config->slot.publication);
    } else if (t->scan.main.has_all_tables) {
        log_warn(
            t->component, "table_without_identity", values,
            "%s has no replica identity but publication %s takes all tables: the application's UPDATE and "
            "DELETE of it fail. It needs a primary key, or: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY "
            "FULL;",
            full, t->config->slot.publication, e->schema, e->name);
    } else {
        log_warn(
            t->component, "table_without_identity", values,
            "%s is not published, because its UPDATE and DELETE would fail without a replica identity. It "
            "needs a primary key, or REPLICA IDENTITY FULL: ALTER TABLE \"%s\".\"%s\" ADD PRIMARY KEY (…); "
            "or "
            "ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL; or list it under tables.publish_inserts_only",
            full, e->schema, e->name, e->schema, e->name);
    }
}

// The identity in force is each partition's own: FULL on the partitioned table is not handed down.
static void pg_tables_warn_partitions(struct pg_tables *t, const struct pg_tables_entry *root)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", root->schema, root->name);
    const struct pg_tables_entry *bare = pg_tables_scan_find(&t->scan, root->bare_oid);
    const struct log_value *values = LOG_WITH(LOG_TEXT("table", full));
    if (bare->wanted == PG_TABLES_INSERTS || bare->cover != 0) {
        log_warn(
            t->component, "table_inserts_only", values,
            "%zu partitions of %s have no replica identity (%s.%s, say): only their inserts are published",
            root->bare_count, full, bare->schema, bare->name);
        return;
    }
    log_warn(
        t->component, "table_without_identity", values,
        "%zu partitions of %s have no replica identity (%s.%s, say): %s. What helps is a primary key: ALTER "
        "TABLE \"%s\".\"%s\" ADD PRIMARY KEY (…); or, partition by partition and for each new one: ALTER "
        "TABLE "
        "\"%s\".\"%s\" REPLICA IDENTITY FULL; or %s under tables.publish_inserts_only",
        root->bare_count, full, bare->schema, bare->name,
        t->scan.main.has_all_tables
            ? "the publication takes all tables, so the application's UPDATE and DELETE "
              "of them fail"
            : "they are not published, because their UPDATE and DELETE would fail",
        root->schema, root->name, bare->schema, bare->name, full);
}

static void pg_tables_warn_other(const struct pg_tables *t, const struct pg_tables_entry *e)
{
    if (e->is_unlogged) {
        log_warn(t->component, "table_unlogged", NULL,
                 "%s.%s is UNLOGGED: its changes are not in the WAL and can't be published; ALTER TABLE "
                 "\"%s\".\"%s\" SET LOGGED; mends it",
                 e->schema, e->name, e->schema, e->name);
    } else {
        log_warn(t->component, "table_not_owned", NULL,
                 "%s.%s matches but our role does not own it; as its owner run: ALTER PUBLICATION \"%s\" ADD "
                 "TABLE \"%s\".\"%s\";",
                 e->schema, e->name, t->config->slot.publication, e->schema, e->name);
    }
}

static void pg_tables_warn_one(struct pg_tables *t, const struct pg_tables_entry *e)
{
    bool is_bare = !e->has_identity && !e->is_partitioned;
    bool is_foreign =
        !e->is_ours && e->wanted == PG_TABLES_MAIN && !e->is_in_main && !t->scan.main.has_all_tables;
    if (!e->is_matching || (!is_bare && !e->is_unlogged && !is_foreign)) {
        pg_tables_forget(t, e->oid);
        return;
    }
    if (!pg_tables_names(t, e->oid)) {
        return;
    }
    struct pg_tables_entry *root = pg_tables_scan_root(&t->scan, e);
    if (e->is_unlogged || !is_bare) {
        pg_tables_warn_other(t, e);
    } else if (root == NULL || e->is_identity_generated) {
        pg_tables_warn_identity(t, e);
    } else {
        root->bare_count++;
        root->bare_oid = e->oid;
    }
}

void pg_tables_warn(struct pg_tables *t)
{
    for (size_t i = 0; i < t->scan.count; i++) {
        pg_tables_warn_one(t, &t->scan.entries[i]);
    }
    for (size_t i = 0; i < t->scan.count; i++) {
        if (t->scan.entries[i].bare_count > 0) {
            pg_tables_warn_partitions(t, &t->scan.entries[i]);
        }
    }
}
