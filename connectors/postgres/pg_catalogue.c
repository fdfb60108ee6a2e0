#include "connectors/postgres/pg_catalogue.h"

#include <stdlib.h>

#include "core/memory.h"

#define PG_CATALOGUE_COLUMNS                                                                                 \
    "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid),"                \
    " a.attgenerated <> '', coalesce(array_position(p.indkey, a.attnum) < p.indnkeyatts, false),"              \
    " array_position(p.indkey, a.attnum), c.relreplident = 'f' OR CASE c.relreplident"                         \
    " WHEN 'i' THEN coalesce(array_position(i.indkey, a.attnum) < i.indnkeyatts, false)"                       \
    " WHEN 'd' THEN coalesce(array_position(p.indkey, a.attnum) < p.indnkeyatts, false) ELSE false END"        \
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"                                               \
    " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"                                 \
    " LEFT JOIN pg_index p ON p.indrelid = c.oid AND p.indisprimary"                                           \
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisreplident"

// From the given types down: domains to their base, arrays to their elements.
#define PG_CATALOGUE_TYPE                                                                                    \
    "SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, coalesce((SELECT e.oid FROM pg_type e"               \
    " WHERE e.oid = t.typelem AND e.typarray = t.oid), 0) AS element, t.typname FROM pg_type t"

void pg_catalogue_query(struct bytes *out, uint32_t oid, const struct pgoutput_relation *relation)
{
    bytes_format(out, "SELECT relreplident FROM pg_class WHERE oid = %u;", oid);
    bytes_format(out,
                 PG_CATALOGUE_COLUMNS
                 " WHERE c.oid = %u AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;",
                 oid);
    bytes_format(out,
                 "WITH RECURSIVE r(oid, kind, base, modifier, element, name) AS (" PG_CATALOGUE_TYPE
                 " WHERE t.oid IN (SELECT atttypid FROM pg_attribute WHERE attrelid = %u AND attnum > 0)",
                 oid);
    for (size_t i = 0; relation != NULL && i < relation->column_count; i++) {
        if (!pg_types_is_known(relation->columns[i].type_oid)) {
            bytes_format(out, " OR t.oid = %u", relation->columns[i].type_oid);
        }
    }
    bytes_append_string(out, " UNION SELECT b.* FROM r JOIN LATERAL (" PG_CATALOGUE_TYPE
                             " WHERE t.oid = CASE WHEN r.kind = 'd' THEN r.base ELSE r.element END) b ON true)"
                             " SELECT oid, kind, base, modifier, element, name FROM r");
}

static uint32_t pg_catalogue_oid(const PGresult *r, int row, int field)
{
    return (uint32_t)strtoul(PQgetvalue(r, row, field), NULL, 10);
}

static bool pg_catalogue_true(const PGresult *r, int row, int field)
{
    return PQgetvalue(r, row, field)[0] == 't';
}

static void pg_catalogue_read_column(const PGresult *r, int row, struct pg_catalogue_column *ret)
{
    ret->name = memory_string(PQgetvalue(r, row, 0));
    ret->type_oid = pg_catalogue_oid(r, row, 1);
    ret->type_modifier = (int32_t)strtol(PQgetvalue(r, row, 2), NULL, 10);
    ret->is_not_null = pg_catalogue_true(r, row, 3);
    ret->default_text = PQgetisnull(r, row, 4) ? NULL : memory_string(PQgetvalue(r, row, 4));
    ret->is_generated = pg_catalogue_true(r, row, 5);
    bool is_primary = pg_catalogue_true(r, row, 6);
    ret->primary_position = is_primary ? (int)strtol(PQgetvalue(r, row, 7), NULL, 10) : -1;
    ret->is_identity = pg_catalogue_true(r, row, 8);
}

static void pg_catalogue_read_type(const PGresult *r, int row, struct pg_type *ret)
{
    *ret = (struct pg_type){0};
    ret->oid = pg_catalogue_oid(r, row, 0);
    ret->kind = PQgetvalue(r, row, 1)[0];
    ret->base_oid = pg_catalogue_oid(r, row, 2);
    ret->base_modifier = (int32_t)strtol(PQgetvalue(r, row, 3), NULL, 10);
    ret->element_oid = pg_catalogue_oid(r, row, 4);
    const char *name = PQgetvalue(r, row, 5);
    memcpy(ret->name, name, strnlen(name, sizeof(ret->name) - 1));
}

void pg_catalogue_read(PGresult *const *results, struct pg_catalogue *ret)
{
    struct pg_catalogue c = {0};
    c.replica_identity = PQntuples(results[0]) == 1 ? PQgetvalue(results[0], 0, 0)[0] : 'n';
    c.column_count = (size_t)PQntuples(results[1]);
    c.columns = memory_zeroed(c.column_count, sizeof(*c.columns));
    for (size_t i = 0; i < c.column_count; i++) {
        pg_catalogue_read_column(results[1], (int)i, &c.columns[i]);
    }
    c.type_count = (size_t)PQntuples(results[2]);
    c.types = memory_zeroed(c.type_count, sizeof(*c.types));
    for (size_t i = 0; i < c.type_count; i++) {
        pg_catalogue_read_type(results[2], (int)i, &c.types[i]);
    }
    *ret = c;
}

void pg_catalogue_clear(struct pg_catalogue *c)
{
    for (size_t i = 0; i < c->column_count; i++) {
        free(c->columns[i].name);
        free(c->columns[i].default_text);
    }
    free(c->columns);
    free(c->types);
    *c = (struct pg_catalogue){0};
}

const struct pg_catalogue_column *pg_catalogue_find(const struct pg_catalogue *c, struct slice name)
{
    for (size_t i = 0; i < c->column_count; i++) {
        if (slice_equal(slice_of(c->columns[i].name), name)) {
            return &c->columns[i];
        }
    }
    return NULL;
}
