// Warnings about matching tables that can't be published, with the SQL that helps.
#include "connectors/postgres/catalogue/pg_publication_private.h"
#include "core/base/log.h"

// True the first time it is called for a table.
static bool is_first_warning(struct pg_publication *t, uint32_t oid)
{
    for (size_t i = 0; i < t->warned_count; i++) {
        if (t->warned[i] == oid) {
            return false;
        }
    }
    t->warned = memory_resize(t->warned, (t->warned_count + 1) * sizeof(*t->warned));
    t->warned[t->warned_count++] = oid;
    return true;
}

static void clear_warning(struct pg_publication *t, uint32_t oid)
{
    for (size_t i = 0; i < t->warned_count; i++) {
        if (t->warned[i] == oid) {
            t->warned[i] = t->warned[--t->warned_count];
            return;
        }
    }
}

static void warn_identity(struct pg_publication *t, const struct pg_publication_entry *e)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    const struct log_value *values = LOG_WITH(LOG_TEXT("table", full));
    if (e->wanted == PG_PUBLICATION_INSERTS && !t->scan.main.has_all_tables) {
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
            "%s has no replica identity, but publication %s is FOR ALL TABLES: the application's UPDATE and "
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

// Each partition has an identity of its own: REPLICA IDENTITY FULL of the partitioned table is not inherited.
static void warn_partitions(struct pg_publication *t, const struct pg_publication_entry *root)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", root->schema, root->name);
    const struct pg_publication_entry *example = pg_publication_scan_find(&t->scan, root->unidentified_oid);
    const struct log_value *values = LOG_WITH(LOG_TEXT("table", full));
    if (example->wanted == PG_PUBLICATION_INSERTS || example->cover != 0) {
        log_warn(t->component, "table_inserts_only", values,
                 "%zu partitions of %s have no replica identity (for instance %s.%s): only their inserts are "
                 "published",
                 root->unidentified_count, full, example->schema, example->name);
        return;
    }
    log_warn(
        t->component, "table_without_identity", values,
        "%zu partitions of %s have no replica identity (for instance %s.%s): %s. Add a primary key: ALTER "
        "TABLE \"%s\".\"%s\" ADD PRIMARY KEY (…); or run, for each partition and each new one: ALTER "
        "TABLE "
        "\"%s\".\"%s\" REPLICA IDENTITY FULL; or %s under tables.publish_inserts_only",
        root->unidentified_count, full, example->schema, example->name,
        t->scan.main.has_all_tables
            ? "the publication is FOR ALL TABLES, so the application's UPDATE and DELETE "
              "of them fail"
            : "they are not published, because their UPDATE and DELETE would fail",
        root->schema, root->name, example->schema, example->name, full);
}

static void warn_topic(const struct pg_publication *t, const struct pg_publication_entry *e)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    log_warn(t->component, "table_without_topic", LOG_WITH(LOG_TEXT("table", full)),
             "%s is not captured, the other tables are: %s, by an entry of routes whose match is %s", full,
             e->topic_refusal, full);
}

static void warn_other(const struct pg_publication *t, const struct pg_publication_entry *e)
{
    if (e->is_unlogged) {
        log_warn(
            t->component, "table_unlogged", NULL,
            "%s.%s is UNLOGGED: its changes are not in the WAL and can't be published; to change that run: "
            "ALTER TABLE \"%s\".\"%s\" SET LOGGED;",
            e->schema, e->name, e->schema, e->name);
    } else {
        log_warn(t->component, "table_not_owned", NULL,
                 "%s.%s matches but the role of postgres.dsn does not own it; as its owner run: ALTER "
                 "PUBLICATION \"%s\" ADD "
                 "TABLE \"%s\".\"%s\";",
                 e->schema, e->name, t->config->slot.publication, e->schema, e->name);
    }
}

static void warn_one(struct pg_publication *t, const struct pg_publication_entry *e)
{
    bool is_unidentified = !e->has_identity && !e->is_partitioned;
    // Without a publication no warning: the CREATE PUBLICATION for the owner has the table.
    bool is_foreign = t->scan.main.exists && !e->is_ours && e->wanted == PG_PUBLICATION_MAIN &&
                      !e->is_in_main && !t->scan.main.has_all_tables;
    if (e->topic_refusal != NULL) {
        if (is_first_warning(t, e->oid)) {
            warn_topic(t, e);
        }
        return;
    }
    if (!e->is_matching || (!is_unidentified && !e->is_unlogged && !is_foreign)) {
        clear_warning(t, e->oid);
        return;
    }
    if (!is_first_warning(t, e->oid)) {
        return;
    }
    struct pg_publication_entry *root = pg_publication_scan_root(&t->scan, e);
    if (e->is_unlogged || !is_unidentified) {
        warn_other(t, e);
    } else if (root == NULL || e->is_identity_generated) {
        warn_identity(t, e);
    } else {
        root->unidentified_count++;
        root->unidentified_oid = e->oid;
    }
}

static void warn_locked(const struct pg_publication *t, const struct pg_publication_entry *e)
{
    const struct pg_publication_entry *before = pg_publication_scan_find(&t->before, e->oid);
    if (e->lock_holder == NULL || (before != NULL && before->lock_holder != NULL)) {
        return;
    }
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", e->schema, e->name);
    log_warn(t->component, "table_locked", LOG_WITH(LOG_TEXT("table", full)),
             "%s is added to publication %s, and its rows are read, when it is not locked any more: %s", full,
             t->config->slot.publication, e->lock_holder);
}

static bool is_any_table(const struct pg_publication_scan *s, const char *glob)
{
    bool is_match = false;
    for (size_t i = 0; i < s->count && !is_match; i++) {
        CLEANUP(memory_free_pointer)
        char *full = memory_format("%s.%s", s->entries[i].schema, s->entries[i].name);
        is_match = text_name_match(glob, full);
    }
    return is_match;
}

static void warn_unmatched(struct pg_publication *t, const char *key, const struct text_list *globs)
{
    for (size_t i = 0; i < globs->count; i++) {
        const char *glob = globs->items[i];
        if (is_any_table(&t->scan, glob) || strcmp(glob, "public.*") == 0) {  // which is the default
            continue;
        }
        t->unmatched++;
        if (!t->has_scanned) {
            log_warn(t->component, "nothing_matched", LOG_WITH(LOG_TEXT("key", key), LOG_TEXT("entry", glob)),
                     "%s: %s matches no table of the database: it has no effect until one of such a name is "
                     "made; is it misspelled?",
                     key, glob);
        }
    }
}

static void warn_all_unmatched(struct pg_publication *t)
{
    t->unmatched = 0;
    warn_unmatched(t, "tables.include", &t->config->tables.include);
    warn_unmatched(t, "tables.exclude", &t->config->tables.exclude);
    warn_unmatched(t, "tables.publish_inserts_only", &t->config->tables.publish_inserts_only);
}

void pg_publication_warn(struct pg_publication *t)
{
    warn_all_unmatched(t);
    for (size_t i = 0; i < t->scan.count && t->scan.has_locked; i++) {
        warn_locked(t, &t->scan.entries[i]);
    }
    for (size_t i = 0; i < t->scan.count; i++) {
        warn_one(t, &t->scan.entries[i]);
    }
    for (size_t i = 0; i < t->scan.count; i++) {
        if (t->scan.entries[i].unidentified_count > 0) {
            warn_partitions(t, &t->scan.entries[i]);
        }
    }
}
