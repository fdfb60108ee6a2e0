#include "connectors/postgres/catalogue/pg_catalogue_set.h"

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_catalogue_private.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

#define PG_CATALOGUE_SET_FRESH_US (5 * CLOCK_US_PER_S)
#define PG_CATALOGUE_SET_DUE_US CLOCK_US_PER_S

#define PG_CATALOGUE_SET_TABLES                                                                              \
    "(SELECT x.oid FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname JOIN "       \
    "pg_class x ON"                                                                                          \
    " x.relnamespace = n.oid AND x.relname = p.tablename WHERE p.pubname IN ("

// Reads the WAL's end first: the later statements see everything that was committed before it.
void pg_catalogue_set_query(struct bytes *out, const char *publications)
{
    bytes_append_string(out, "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                             " ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn;");
    bytes_format(out,
                 PG_CATALOGUE_COLUMNS
                 " WHERE c.oid IN " PG_CATALOGUE_SET_TABLES
                 "%s)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid, a.attnum;",
                 publications);
    bytes_format(out,
                 "WITH RECURSIVE r(" PG_CATALOGUE_TYPE_COLUMNS ") AS (" PG_CATALOGUE_TYPE
                 " WHERE t.oid IN (SELECT atttypid FROM pg_attribute WHERE attnum > 0 AND attrelid"
                 " IN " PG_CATALOGUE_SET_TABLES "%s)))" PG_CATALOGUE_TYPES_BELOW,
                 publications);
    bytes_format(out, ";" PG_CATALOGUE_ANCESTORS "c.oid IN " PG_CATALOGUE_SET_TABLES "%s))", publications);
}

static int compare_tables(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static struct pg_catalogue *find_table(const struct pg_catalogue_set *s, uint32_t oid)
{
    const uint32_t *found =
        s->count == 0 ? NULL : bsearch(&oid, s->oids, s->count, sizeof(*s->oids), compare_tables);
    return found == NULL ? NULL : &s->tables[found - s->oids];
}

void pg_catalogue_set_read(PGresult *const *results, struct pg_catalogue_set *ret)
{
    const PGresult *columns = results[1];
    size_t rows = (size_t)PQntuples(columns);
    struct pg_catalogue_set s = {.read_us = clock_now_us()};
    s.lsn = strtoull(PQgetvalue(results[0], 0, 0), NULL, 10);
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
        s.oids[s.count++] = oid;
        row = end;
    }
    for (int row = 0; row < PQntuples(results[3]); row++) {
        uint32_t oid = (uint32_t)strtoul(PQgetvalue(results[3], row, 0), NULL, 10);
        struct pg_catalogue *partition = find_table(&s, oid);
        if (partition != NULL) {
            text_list_add(&partition->ancestors, PQgetvalue(results[3], row, 1));
        }
    }
    *ret = s;
}

void pg_catalogue_set_clear(struct pg_catalogue_set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        s->tables[i].types = NULL;
        pg_catalogue_clear(&s->tables[i]);
    }
    free(s->tables);
    free(s->oids);
    free(s->types);
    *s = (struct pg_catalogue_set){0};
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

const struct pg_catalogue *pg_catalogue_set_take(struct pg_catalogue_set *s,
                                                 const struct pgoutput_relation *message, uint64_t commit_lsn)
{
    struct pg_catalogue *c = find_table(s, message->oid);
    if (c == NULL || !has_columns_of(c, message)) {
        return NULL;
    }
    if (pg_catalogue_set_is_after(s, commit_lsn)) {
        return c;
    }
    if (c->is_taken || clock_now_us() - s->read_us > PG_CATALOGUE_SET_FRESH_US) {
        return NULL;
    }
    c->is_taken = true;
    return c;
}

bool pg_catalogue_set_is_due(const struct pg_catalogue_set *s)
{
    return clock_now_us() - s->read_us >= PG_CATALOGUE_SET_DUE_US;
}
