// Lists the tables; then describes each one and copies its rows.
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_catalogue_set.h"
#include "connectors/postgres/snapshot/pg_snapshot_private.h"
#include "core/base/log.h"

enum { LOCKED_MAX = 500 };

static void fail(struct pg_snapshot *s, const struct fault *f, const char *what)
{
    struct fault fault = *f;
    if (f->origin_code == PG_CONN_NO_PRIVILEGE) {
        (void)fault_set(&fault, FAULT_CONFIG,
                        "%s; as the table's owner run: GRANT USAGE ON SCHEMA … TO \"%s\"; GRANT SELECT ON "
                        "TABLE … TO \"%s\";",
                        f->text, pg_conn_user(s->params.conn), pg_conn_user(s->params.conn));
    }
    (void)fault_context(&fault, "snapshot: %s", what);
    s->params.on_fault(s->params.self, &fault);
}

static bool is_failed(struct pg_snapshot *s, size_t count, size_t want, const struct fault *f,
                      const char *what)
{
    struct fault fault;
    if (pg_conn_answered(count, want, f, &fault)) {
        return false;
    }
    fail(s, &fault, what);
    return true;
}

static void refuse_filtered(struct pg_snapshot *s, const struct pg_snapshot_table *t)
{
    struct fault f;
    const char *user = pg_conn_user(s->params.conn);
    (void)fault_set(
        &f, FAULT_CONFIG,
        "snapshot: %s.%s has row-level security, and its policies may hide rows from role %s; as a "
        "superuser run: ALTER ROLE \"%s\" BYPASSRLS; or exclude the table (tables.exclude), or the "
        "existing rows (snapshot: never)",
        t->schema, t->name, user, user);
    s->params.on_fault(s->params.self, &f);
}

static void next_table(struct pg_snapshot *s);

static void add_skipped(struct pg_snapshot *s, uint32_t oid)
{
    s->skipped = memory_resize(s->skipped, (s->skipped_count + 1) * sizeof(*s->skipped));
    s->skipped[s->skipped_count++] = oid;
}

// Continues without the table, or without any table if their list could not be read.
static void on_holders(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    if (is_failed(s, count, 2, f, "ROLLBACK TO SAVEPOINT")) {
        return;
    }
    const struct pg_snapshot_table *t = s->is_described ? &s->tables[s->at] : NULL;
    const char *holders =
        PQgetisnull(results[1], 0, 0) ? "a lock that is gone" : PQgetvalue(results[1], 0, 0);
    log_write(s->params.is_lock_known || s->was_locked ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
              s->params.component, "table_locked", LOG_WITH(LOG_TEXT("table", t == NULL ? "" : t->name)),
              "the rows that %s%s%s had before being captured are read later, when no table is locked: %s",
              t == NULL ? "new tables" : t->schema, t == NULL ? "" : ".", t == NULL ? "" : t->name, holders);
    s->was_locked = true;
    for (size_t i = 0; t == NULL && i < s->only_count; i++) {
        add_skipped(s, s->only[i]);
    }
    s->at = t == NULL ? s->table_count : s->at;
    if (t != NULL) {
        add_skipped(s, t->oid);
        s->at++;
    }
    next_table(s);
}

// Whether the query failed because a table is locked, perhaps for hours; then the stream must not wait for
// it.
static bool steps_aside(struct pg_snapshot *s, const struct fault *f)
{
    if (f == NULL || f->origin_code != PG_CONN_LOCK_NOT_AVAILABLE || !s->params.can_skip) {
        return false;
    }
    // Waiting sessions count too: requests behind one for ACCESS EXCLUSIVE wait for it.
    pg_conn_query(
        s->params.conn,
        "ROLLBACK TO SAVEPOINT tables;"
        "SELECT string_agg(format('%s by process %s (%s)', c.oid::regclass, l.pid, left(a.query, 100)), "
        "', ') FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_stat_activity a ON "
        "a.pid = l.pid WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.database "
        "= (SELECT oid FROM pg_database WHERE datname = current_database()) AND c.relkind IN ('r', 'p') "
        "AND c.relpersistence <> 't' AND c.oid >= 16384",
        on_holders, s);
    return true;
}

// The changes of the table are captured; only its existing rows are missing.
static void skip_table(struct pg_snapshot *s, const struct pg_snapshot_table *t)
{
    const char *user = pg_conn_user(s->params.conn);
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", t->schema, t->name);
    if (t->is_readable) {
        log_warn(s->params.component, "table_not_read", LOG_WITH(LOG_TEXT("table", full)),
                 "the rows that %s had before it was captured are not read, because its row-level security "
                 "may hide some from role %s; as a superuser run: ALTER ROLE \"%s\" BYPASSRLS;",
                 full, user, user);
    } else {
        log_warn(s->params.component, "table_not_read", LOG_WITH(LOG_TEXT("table", full)),
                 "the rows that %s had before it was captured are not read, because role %s may not; as its "
                 "owner run: GRANT USAGE ON SCHEMA \"%s\" TO \"%s\"; GRANT SELECT ON TABLE \"%s\".\"%s\" "
                 "TO \"%s\";",
                 full, user, t->schema, user, t->schema, t->name, user);
    }
    add_skipped(s, t->oid);
    s->at++;
    next_table(s);
}

static void on_committed(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    (void)results;
    if (is_failed(s, count, 1, f, "COMMIT")) {
        return;
    }
    s->is_over = true;
    s->params.on_ready(s->params.self);
}

static void on_released(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    (void)results;
    if (!is_failed(s, count, 1, f, "ROLLBACK TO SAVEPOINT")) {
        next_table(s);
    }
}

// Tables that were read are unlocked from time to time: with many tables the locks of one transaction would
// outgrow the server's lock table (max_locks_per_transaction).
static void end_table(struct pg_snapshot *s)
{
    const struct pg_snapshot_table *t = &s->tables[s->at];
    struct toast_position place = {s->params.position - 1, s->index};
    struct fault f = {0};
    if (!pg_toast_describe(s->params.changes->toast, t->relation, place, &f)) {
        fail(s, &f, t->name);
        return;
    }
    log_info(s->params.component, "table_snapshotted", LOG_WITH(LOG_NUMBER("rows", t->rows)),
             "%s.%s: %llu rows read", t->schema, t->name, (unsigned long long)t->rows);
    s->at++;
    if (++s->locked >= LOCKED_MAX) {
        s->locked = 0;
        pg_conn_query(s->params.conn, "ROLLBACK TO SAVEPOINT tables", on_released, s);
    } else {
        next_table(s);
    }
}

static void on_rewritten_known(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    const struct pg_snapshot_table *t = &s->tables[s->at];
    if (is_failed(s, count, 1, f, t->name)) {
        return;
    }
    if (PQgetvalue(results[0], 0, 0)[0] != 't') {
        end_table(s);
        return;
    }
    if (!s->params.can_skip && s->skipped_count == s->params.skipped_max) {
        struct fault many;
        (void)fault_set(&many, FAULT_RETRY,
                        "more than %zu tables were rewritten since the snapshot was taken",
                        s->params.skipped_max);
        fail(s, &many, "it is read anew");
        return;
    }
    log_info(
        s->params.component, "table_rewritten", LOG_WITH(LOG_TEXT("table", t->name)),
        "%s.%s was rewritten (ALTER TABLE, TRUNCATE) since the snapshot was taken, which does not see its "
        "rows: they are read later",
        t->schema, t->name);
    s->was_locked = true;
    add_skipped(s, t->oid);
    s->at++;
    next_table(s);
}

// A table that was rewritten or truncated since the snapshot was taken looks empty in it, and the stream has
// nothing of a rewrite. pg_class is read as of the snapshot; pg_relation_filenode tells the present, which
// can't change any more because COPY has locked the table. pg_class is read through its index: as a whole it
// would be read once for each table.
static void check_rewritten(struct pg_snapshot *s)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    const struct pg_snapshot_table *t = &s->tables[s->at];
    bytes_format(&sql, "SELECT count(*) > 0 FROM pg_class c WHERE c.relkind <> 'p' AND "
                       "c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid) AND ");
    bytes_format(&sql,
                 t->is_partitioned ? "c.oid = ANY(ARRAY(SELECT relid::oid FROM pg_partition_tree(%u)))"
                                   : "c.oid = %u",
                 t->oid);
    pg_conn_query(s->params.conn, bytes_text(&sql), on_rewritten_known, s);
}

static void on_copy_ended(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    (void)results;
    const struct pg_snapshot_table *t = &s->tables[s->at];
    if (is_failed(s, count, 1, f, t->name)) {
        return;
    }
    if (t->rows == 0 || t->is_partitioned) {
        check_rewritten(s);
    } else {
        end_table(s);
    }
}

static void on_rows(void *self)
{
    struct pg_snapshot *s = self;
    s->params.on_ready(s->params.self);
}

static void on_copy_started(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    (void)results;
    if (steps_aside(s, f) || is_failed(s, count, 1, f, s->tables[s->at].name)) {
        return;
    }
    s->is_copying = true;
    pg_conn_watch_copy(s->params.conn, on_rows, s);
    s->params.on_ready(s->params.self);
}

// Applies the row filter and column list of the publication, as the stream does.
static void copy_table(struct pg_snapshot *s)
{
    const struct pg_snapshot_table *t = &s->tables[s->at];
    const struct table *table = t->relation->table;
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "COPY (SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        bytes_append_string(&sql, i == 0 ? "" : ", ");
        pg_conn_quote_name(&sql, table->columns[i].name);
    }
    bytes_append_string(&sql, t->is_partitioned ? " FROM " : " FROM ONLY ");
    pg_conn_quote_name(&sql, t->schema);
    bytes_append_byte(&sql, '.');
    pg_conn_quote_name(&sql, t->name);
    if (t->row_filter != NULL) {
        bytes_format(&sql, " WHERE %s", t->row_filter);
    }
    bytes_append_string(&sql, ") TO STDOUT");
    pg_conn_query(s->params.conn, bytes_text(&sql), on_copy_started, s);
}

static bool is_wanted(const struct pg_snapshot *s, const struct pg_snapshot_table *t)
{
    bool is_captured = t->relation != NULL && t->relation->is_wanted;
    return is_captured &&
           (!s->params.is_for_toast || (t->relation->toast != NULL && t->relation->toast->is_needed));
}

static void next_table(struct pg_snapshot *s)
{
    while (s->at < s->table_count && !is_wanted(s, &s->tables[s->at])) {
        s->at++;
    }
    if (s->at == s->table_count) {
        pg_conn_query(s->params.conn, "COMMIT", on_committed, s);
        return;
    }
    const struct pg_snapshot_table *t = &s->tables[s->at];
    if (s->params.can_skip && (!t->is_readable || t->is_filtered)) {
        skip_table(s, t);
    } else if (t->is_filtered) {
        refuse_filtered(s, t);
    } else {
        copy_table(s);
    }
}

// The versions of all tables, before the first row: their topics and schemas are requested side by side.
static void make_versions(struct pg_snapshot *s, const struct pg_catalogue_set *set)
{
    for (size_t i = 0; i < s->table_count; i++) {
        struct pg_snapshot_table *t = &s->tables[i];
        const struct pg_catalogue *c = pg_catalogue_set_find(set, t->oid);
        struct pgoutput_relation *relation = &s->message->relation;
        if (c == NULL || c->name == NULL) {
            continue;
        }
        pg_catalogue_describe(c, pg_conn_server_version(s->params.conn), relation);
        if (relation->column_count == 0) {
            continue;
        }
        t->relation = pg_relations_see(s->params.relations, relation);
        if (t->relation->is_wanted) {
            pg_relations_update(s->params.relations, t->relation, relation, c);
            pg_toast_plan_settle(t->relation->toast);
        }
        if (t->relation->is_wanted) {
            t->row_filter = c->row_filter == NULL ? NULL : memory_string(c->row_filter);
            s->params.on_version(s->params.self, t->relation->table);
        }
    }
    if (s->only_count == 0 && s->table_count > 0) {
        pg_unmatched_report(pg_relations_unmatched(s->params.relations));
    }
}

static void on_described(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    struct pg_catalogue_set set;
    if (steps_aside(s, f) || is_failed(s, count, PG_CATALOGUE_SET_RESULTS, f, "describing the tables")) {
        return;
    }
    pg_catalogue_set_read(results, &set);
    make_versions(s, &set);
    pg_catalogue_set_clear(&set);
    s->is_described = true;
    next_table(s);
}

static void describe_tables(struct pg_snapshot *s)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    CLEANUP(memory_free_pointer) uint32_t *oids = memory_zeroed(s->table_count + 1, sizeof(*oids));
    for (size_t i = 0; i < s->table_count; i++) {
        oids[i] = s->tables[i].oid;
    }
    struct pg_catalogue_scope scope = {.publications = s->publications,
                                       .oids = oids,
                                       .count = s->only_count > 0 ? s->table_count : 0,
                                       .unsent_by = s->params.unsent_by,
                                       .server_version = pg_conn_server_version(s->params.conn)};
    pg_catalogue_set_query(&sql, &scope);
    pg_conn_query(s->params.conn, bytes_text(&sql), on_described, s);
}

static void on_tables_listed(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_snapshot *s = self;
    enum { FACTS, TABLES, ALL };
    size_t before = s->params.can_skip ? 2 : 1;  // the statements that prepare for stepping aside
    if (steps_aside(s, f) || is_failed(s, count, before + ALL, f, "begin")) {
        return;
    }
    results += before;
    s->transaction_id = (uint32_t)strtoull(PQgetvalue(results[FACTS], 0, 0), NULL, 10);
    s->time_us = strtoll(PQgetvalue(results[FACTS], 0, 1), NULL, 10);
    s->lsn = strtoull(PQgetvalue(results[FACTS], 0, 2), NULL, 10);
    s->table_count = (size_t)PQntuples(results[TABLES]);
    s->tables = memory_zeroed(s->table_count, sizeof(*s->tables));
    for (size_t i = 0; i < s->table_count; i++) {
        struct pg_snapshot_table *t = &s->tables[i];
        t->oid = (uint32_t)strtoul(PQgetvalue(results[TABLES], (int)i, 0), NULL, 10);
        t->schema = memory_string(PQgetvalue(results[TABLES], (int)i, 1));
        t->name = memory_string(PQgetvalue(results[TABLES], (int)i, 2));
        t->is_partitioned = PQgetvalue(results[TABLES], (int)i, 3)[0] == 't';
        t->is_filtered = PQgetvalue(results[TABLES], (int)i, 4)[0] == 't';
        t->is_readable = PQgetvalue(results[TABLES], (int)i, 5)[0] == 't';
    }
    log_info(s->params.component, "snapshot_started", LOG_WITH(LOG_NUMBER("tables", s->table_count)),
             "reading %zu tables", s->table_count);
    if (s->table_count > 0) {
        describe_tables(s);
    } else {
        next_table(s);
    }
}

// Appends " AND …": only these tables and their partitions.
static void append_only(struct bytes *sql, const struct pg_snapshot *s)
{
    CLEANUP(bytes_clear) struct bytes list = {0};
    for (size_t i = 0; i < s->only_count; i++) {
        bytes_format(&list, "%s%u", i == 0 ? "" : ", ", s->only[i]);
    }
    if (s->only_count > 0) {
        bytes_format(sql,
                     " AND (c.oid IN (%s) OR EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a WHERE"
                     " a.relid IN (%s)))",
                     bytes_text(&list), bytes_text(&list));
    }
}

void pg_snapshot_begin(struct pg_snapshot *s)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    // From PostgreSQL 16 on, listing the tables of a publication locks each of them, one by one.
    bytes_append_string(&sql, s->params.can_skip ? "SET LOCAL lock_timeout = '100ms';" : "");
    bytes_append_string(&sql, "SAVEPOINT tables;");
    // The rows get the id of the last transaction before the snapshot's xmin, which no later event has. The
    // snapshot has no transaction id of its own: each new slot on the server would have to wait for it. Two
    // snapshots of an idle server would have the same LSN, and different rows the same ids. So each writes a
    // message into the WAL, which the stream does not request.
    bytes_append_string(
        &sql, "SELECT (txid_snapshot_xmin(txid_current_snapshot()) - 1) & 4294967295,"
              " (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint,"
              " pg_logical_emit_message(false, 'millrace', 'snapshot') - '0/0';"
              "SELECT DISTINCT c.oid, n.nspname, c.relname, c.relkind = 'p', row_security_active(c.oid),"
              " has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
              " FROM pg_publication_tables p"
              " JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON"
              " c.relnamespace = n.oid AND c.relname = p.tablename WHERE p.pubname IN (");
    bytes_append_string(&sql, s->publications);
    bytes_append_string(&sql, ")");
    append_only(&sql, s);
    // Tables that will be refused come first, not after hours of reading others.
    bytes_append_string(&sql, " ORDER BY 5 DESC, 6, 2, 3");
    pg_conn_query(s->params.conn, bytes_text(&sql), on_tables_listed, s);
}

void pg_snapshot_end_copy(struct pg_snapshot *s)
{
    pg_conn_end_copy(s->params.conn, on_copy_ended, s);
}
