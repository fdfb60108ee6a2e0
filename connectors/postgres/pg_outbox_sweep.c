#include "connectors/postgres/pg_outbox_sweep.h"

#include <stdlib.h>

#include "core/base/log.h"

enum { ROWS_MAX = 10000 };  // of one list

void pg_outbox_sweep_start(struct pg_outbox_sweep *s)
{
    s->state = PG_OUTBOX_SWEEP_IDLE;
    bytes_reset(&s->rows);
}

void pg_outbox_sweep_clear(struct pg_outbox_sweep *s)
{
    bytes_clear(&s->rows);
}

// "schema"."table" of the configured name.
static void append_table(const struct pg_outbox_sweep *s, struct bytes *out)
{
    CLEANUP(memory_free_pointer) char *schema = memory_string(s->deps->config->outbox.table);
    char *dot = strchr(schema, '.');
    *dot = '\0';
    pg_conn_quote_name(out, schema);
    bytes_append_byte(out, '.');
    pg_conn_quote_name(out, dot + 1);
}

static void fail(struct pg_outbox_sweep *s, const struct fault *f)
{
    s->state = PG_OUTBOX_SWEEP_IDLE;
    if (!s->has_warned) {
        log_warn(s->deps->component, "outbox_not_deleted",
                 LOG_WITH(LOG_TEXT("table", s->deps->config->outbox.table)),
                 "captured rows of the outbox %s can't be deleted: %s; they are tried again, without another "
                 "word; the role needs: GRANT SELECT, DELETE ON %s TO \"%s\";",
                 s->deps->config->outbox.table, f->text, s->deps->config->outbox.table,
                 pg_conn_user(s->session->sql));
    }
    s->has_warned = true;
}

static void list(struct pg_outbox_sweep *s);

static void on_deleted(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_outbox_sweep *s = self;
    struct fault fault;
    (void)results;
    if (!pg_conn_answered(count, 2, f, &fault)) {
        fail(s, &fault);
        return;
    }
    s->has_warned = false;
    s->state = PG_OUTBOX_SWEEP_IDLE;
    log_debug(s->deps->component, "outbox_deleted", LOG_WITH(LOG_NUMBER("rows", s->count)),
              "%zu captured rows of the outbox were deleted", s->count);
    if (s->count == ROWS_MAX) {
        list(s);
    }
}

// A row version is known by its table, its place and its transaction: a place that was used again meanwhile
// has another transaction.
static void delete_listed(struct pg_outbox_sweep *s)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "SET LOCAL lock_timeout = '2s';DELETE FROM ");
    append_table(s, &sql);
    bytes_append_string(&sql, " AS o USING unnest(");
    bytes_append_slice(&sql, bytes_slice(&s->rows));
    bytes_append_string(&sql, ") AS c(relation, place, writer) WHERE o.tableoid = c.relation AND o.ctid = "
                              "c.place AND o.xmin = c.writer");
    s->state = PG_OUTBOX_SWEEP_DELETING;
    pg_conn_query(s->session->sql, bytes_text(&sql), on_deleted, s);
}

static void on_listed(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_outbox_sweep *s = self;
    struct fault fault;
    if (!pg_conn_answered(count, 1, f, &fault)) {
        fail(s, &fault);
        return;
    }
    s->count = strtoull(PQgetvalue(results[0], 0, 0), NULL, 10);
    s->lsn = strtoull(PQgetvalue(results[0], 0, 1), NULL, 10);
    bytes_reset(&s->rows);
    bytes_format(&s->rows, "'%s'::oid[], '%s'::tid[], '%s'::xid[]", PQgetvalue(results[0], 0, 2),
                 PQgetvalue(results[0], 0, 3), PQgetvalue(results[0], 0, 4));
    s->state = s->count == 0 ? PG_OUTBOX_SWEEP_IDLE : PG_OUTBOX_SWEEP_WAITING;
}

// Only rows that the connector captures: of a published table, and within its row filter. The end of the WAL
// is read after the statement's snapshot was taken, so that each listed row was committed before it.
static void list(struct pg_outbox_sweep *s)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    const struct connector_config *config = s->deps->config;
    const char *filter = connector_config_row_filter(config, config->outbox.table);
    bytes_append_string(&sql,
                        "SELECT count(*), pg_current_wal_insert_lsn() - '0/0', array_agg(o.relation), "
                        "array_agg(o.place), array_agg(o.writer) FROM (SELECT tableoid AS relation, ctid "
                        "AS place, xmin AS writer FROM ");
    append_table(s, &sql);
    bytes_append_string(&sql, " WHERE EXISTS (SELECT FROM pg_publication_tables p WHERE p.pubname IN (");
    pg_publication_literals(s->deps->publication, &sql);
    bytes_append_string(&sql, ") AND format('%s.%s', p.schemaname, p.tablename) = ");
    pg_conn_quote_text(&sql, config->outbox.table);
    bytes_format(&sql, ") AND (%s) LIMIT %d) o", filter == NULL ? "true" : filter, ROWS_MAX);
    s->state = PG_OUTBOX_SWEEP_LISTING;
    pg_conn_query(s->session->sql, bytes_text(&sql), on_listed, s);
}

void pg_outbox_sweep_tick(struct pg_outbox_sweep *s, uint64_t confirmed)
{
    if (!s->deps->config->outbox.delete_after_capture) {
        return;
    }
    if (s->state == PG_OUTBOX_SWEEP_IDLE) {
        list(s);
    } else if (s->state == PG_OUTBOX_SWEEP_WAITING && confirmed >= s->lsn) {
        delete_listed(s);
    }
}
