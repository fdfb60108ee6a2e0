#include "connectors/postgres/catalogue/pg_catalogue_set.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_catalogue_private.h"
#include "connectors/postgres/wire/pg_conn.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

#define PG_CATALOGUE_SET_FRESH_US (5 * CLOCK_US_PER_S)

// Measured: a set of 1,000 tables takes as long as 41 tables that are read alone, 85 ms.
enum { ALONE_MIN = 2, TABLES_PER_ALONE = 25 };

// The published tables, with pg_publication_tables as p and pg_class as x.
#define PG_CATALOGUE_SET_FROM                                                                                \
    " FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class x ON"       \
    " x.relnamespace = n.oid AND x.relname = p.tablename WHERE p.pubname IN ("

// When the newest row of the table's definition was written: an age of its transaction. Dropped columns
// count.
#define PG_CATALOGUE_SET_AGE                                                                                 \
    "least(age(x.xmin), (SELECT min(age(a.xmin)) FROM pg_attribute a WHERE a.attrelid = x.oid AND"           \
    " a.attnum > 0), (SELECT min(age(i.xmin)) FROM pg_index i WHERE i.indrelid = x.oid),"                    \
    " (SELECT min(age(d.xmin)) FROM pg_attrdef d WHERE d.adrelid = x.oid))"

// Appends " FROM … WHERE …".
static void append_from(struct bytes *out, const struct pg_catalogue_scope *scope)
{
    bytes_format(out, PG_CATALOGUE_SET_FROM "%s)", scope->publications);
    for (size_t i = 0; i < scope->count; i++) {
        bytes_format(out, "%s%u", i == 0 ? " AND x.oid IN (" : ", ", scope->oids[i]);
    }
    bytes_append_string(out, scope->count == 0 ? "" : ")");
}

static void append_tables(struct bytes *out, const struct pg_catalogue_scope *scope)
{
    bytes_append_string(out,
                        ";SELECT DISTINCT x.oid, n.nspname, x.relname, " PG_CATALOGUE_SET_AGE
                        " > (SELECT age(s.catalog_xmin) FROM pg_replication_slots s WHERE s.slot_name = ");
    pg_conn_quote_text(out, scope->slot == NULL ? "" : scope->slot);
    bytes_append_string(out, scope->server_version >= 150000 ? "), p.rowfilter" : "), NULL");
    append_from(out, scope);
    if (scope->server_version >= 150000) {
        bytes_append_string(out, ";SELECT x.oid, unnest(p.attnames)");
        append_from(out, scope);
        bytes_append_string(out, " AND cardinality(p.attnames) < x.relnatts ORDER BY 1");
    } else {
        bytes_append_string(out, ";SELECT 0, NULL WHERE false");
    }
}

// Its first statement says what the later ones see at least.
void pg_catalogue_set_query(struct bytes *out, const struct pg_catalogue_scope *scope)
{
    CLEANUP(bytes_clear) struct bytes from = {0};
    append_from(&from, scope);
    const char *tables = bytes_text(&from);
    bytes_append_string(out, "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                             " ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn, pg_current_snapshot();");
    bytes_format(out,
                 PG_CATALOGUE_COLUMNS
                 " WHERE c.oid IN (SELECT x.oid%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid, "
                 "a.attnum;",
                 tables);
    bytes_format(out,
                 "WITH RECURSIVE r(" PG_CATALOGUE_TYPE_COLUMNS ") AS (" PG_CATALOGUE_TYPE
                 " WHERE t.oid IN (SELECT atttypid FROM pg_attribute WHERE attnum > 0 AND attrelid"
                 " IN (SELECT x.oid%s))" PG_CATALOGUE_TYPES_BELOW,
                 tables);
    bytes_format(out, ";" PG_CATALOGUE_ANCESTORS "c.oid IN (SELECT x.oid%s)", tables);
    append_tables(out, scope);
    bytes_reset(&from);
    bytes_append_string(&from, "SELECT x.oid");
    append_from(&from, scope);
    const struct pg_unsent_scope unsent = {scope->unsent_by, scope->slot, scope->server_version};
    pg_unsent_query(out, &unsent, bytes_text(&from));
}

static int compare_tables(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct pg_catalogue *pg_catalogue_set_find(const struct pg_catalogue_set *s, uint32_t oid)
{
    const uint32_t *found =
        s->count == 0 ? NULL : bsearch(&oid, s->oids, s->count, sizeof(*s->oids), compare_tables);
    return found == NULL ? NULL : &s->tables[found - s->oids];
}

static uint32_t get_oid(const PGresult *r, int row)
{
    return (uint32_t)strtoul(PQgetvalue(r, row, 0), NULL, 10);
}

static void read_tables(const PGresult *r, const struct pg_catalogue_set *s)
{
    for (int row = 0; row < PQntuples(r); row++) {
        struct pg_catalogue *c = pg_catalogue_set_find(s, get_oid(r, row));
        if (c != NULL && c->name == NULL) {
            c->schema = memory_string(PQgetvalue(r, row, 1));
            c->name = memory_string(PQgetvalue(r, row, 2));
            c->is_settled = PQgetvalue(r, row, 3)[0] == 't';
            c->row_filter = PQgetisnull(r, row, 4) ? NULL : memory_string(PQgetvalue(r, row, 4));
        }
    }
}

// Column lists, of tables that have one: the rows of a table are together.
static void read_lists(const PGresult *r, const struct pg_catalogue_set *s)
{
    struct pg_catalogue *listed = NULL;
    for (int row = 0; row < PQntuples(r); row++) {
        struct pg_catalogue *c = pg_catalogue_set_find(s, get_oid(r, row));
        for (size_t i = 0; c != NULL && i < c->column_count; i++) {
            bool is_this = strcmp(c->columns[i].name, PQgetvalue(r, row, 1)) == 0;
            c->columns[i].is_left_out = !is_this && (c != listed || c->columns[i].is_left_out);
        }
        listed = c;
    }
}

void pg_catalogue_set_read(PGresult *const *results, struct pg_catalogue_set *ret)
{
    const PGresult *columns = results[1];
    size_t rows = (size_t)PQntuples(columns);
    struct pg_catalogue_set s = {.read_us = clock_now_us()};
    struct fault f;
    s.lsn = strtoull(PQgetvalue(results[0], 0, 0), NULL, 10);
    if (!pg_visibility_parse(PQgetvalue(results[0], 0, 1), &s.seen, &f)) {
        s.seen = (struct pg_visibility){0};  // no message is served from it
    }
    s.types = pg_catalogue_read_types(results[2], &s.type_count);
    s.tables = memory_zeroed(rows, sizeof(*s.tables));
    s.oids = memory_zeroed(rows, sizeof(*s.oids));
    for (size_t row = 0; row < rows;) {
        uint32_t oid = pg_catalogue_row_table(columns, (int)row);
        size_t end = row;
        while (end < rows && pg_catalogue_row_table(columns, (int)end) == oid) {
            end++;
        }
        s.tables[s.count].types = s.types;
        s.tables[s.count].type_count = s.type_count;
        pg_catalogue_read_columns(columns, row, end, &s.tables[s.count]);
        s.tables[s.count].oid = oid;
        s.oids[s.count++] = oid;
        row = end;
    }
    for (int row = 0; row < PQntuples(results[3]); row++) {
        uint32_t oid = (uint32_t)strtoul(PQgetvalue(results[3], row, 0), NULL, 10);
        struct pg_catalogue *partition = pg_catalogue_set_find(&s, oid);
        if (partition != NULL) {
            text_list_add(&partition->ancestors, PQgetvalue(results[3], row, 1));
        }
    }
    read_tables(results[4], &s);
    read_lists(results[5], &s);
    for (int row = 0; row < PQntuples(results[6]); row++) {
        uint32_t oid;
        struct pg_unsent unsent = pg_unsent_read(results[6], row, &oid);
        struct pg_catalogue *c = pg_catalogue_set_find(&s, oid);
        if (c != NULL) {
            c->unsent = unsent;
        }
    }
    s.last_count = s.count;
    *ret = s;
}

void pg_catalogue_set_clear(struct pg_catalogue_set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        s->tables[i].types = NULL;
        s->tables[i].type_count = 0;
        pg_catalogue_clear(&s->tables[i]);
    }
    free(s->tables);
    free(s->oids);
    pg_visibility_clear(&s->seen);
    pg_type_list_free(s->types, s->type_count);
    *s = (struct pg_catalogue_set){0};
}

void pg_catalogue_set_forget(struct pg_catalogue_set *s)
{
    struct pg_catalogue_set kept = *s;
    pg_catalogue_set_clear(s);
    s->last_count = kept.last_count;
    s->queried = kept.queried;
    s->retry_us = kept.retry_us;
}

static bool has_columns_of(const struct pg_catalogue *c, const struct pgoutput_relation *message)
{
    for (size_t i = 0; i < message->column_count; i++) {
        const struct pg_catalogue_column *column = pg_catalogue_find(c, message->columns[i].name);
        if (column == NULL || column->type_oid != message->columns[i].type_oid) {
            return false;
        }
    }
    return true;
}

const struct pg_catalogue *pg_catalogue_set_take(const struct pg_catalogue_set *s,
                                                 const struct pgoutput_relation *message,
                                                 uint32_t transaction_id)
{
    const struct pg_catalogue *c = pg_catalogue_set_find(s, message->oid);
    return c != NULL && has_columns_of(c, message) && pg_visibility_sees(&s->seen, transaction_id) ? c : NULL;
}

bool pg_catalogue_set_is_over(const struct pg_catalogue_set *s, uint64_t commit_lsn)
{
    return commit_lsn >= s->lsn && clock_now_us() - s->read_us > PG_CATALOGUE_SET_FRESH_US;
}

bool pg_catalogue_set_is_due(const struct pg_catalogue_set *s)
{
    return s->queried >= ALONE_MIN + s->last_count / TABLES_PER_ALONE && clock_now_us() >= s->retry_us;
}
