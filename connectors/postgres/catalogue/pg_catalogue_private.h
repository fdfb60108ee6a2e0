// The catalogue's queries and rows, shared by the reading of one table (pg_catalogue.c) and of all published
// tables (pg_catalogue_set.c).
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_PRIVATE_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_PRIVATE_H

#include "connectors/postgres/catalogue/pg_catalogue.h"

// pg_get_expr gets no table: with the table's oid it would wait for locks on it, and the stream with it. A
// default has no variables, so it needs none.
#define PG_CATALOGUE_COLUMNS                                                                                 \
    "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull OR (y.typtype = 'd' AND y.typnotnull),"         \
    " CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, 0) END,"                                       \
    " a.attgenerated <> '', coalesce(array_position(p.indkey, a.attnum) < p.indnkeyatts, false),"            \
    " array_position(p.indkey, a.attnum), c.relreplident = 'f' OR CASE c.relreplident"                       \
    " WHEN 'i' THEN coalesce(array_position(i.indkey, a.attnum) < i.indnkeyatts, false)"                     \
    " WHEN 'd' THEN coalesce(array_position(p.indkey, a.attnum) < p.indnkeyatts, false) ELSE false END,"     \
    " c.oid, c.relreplident, coalesce(array_position(i.indkey, a.attnum), 0) FROM pg_class c JOIN "          \
    "pg_attribute a ON a.attrelid = c.oid"                                                                   \
    " LEFT JOIN pg_type y ON y.oid = a.atttypid"                                                             \
    " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"                               \
    " LEFT JOIN pg_index p ON p.indrelid = c.oid AND p.indisprimary"                                         \
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisreplident"

// A recursive query over types: from domains to their base types, from arrays to their element types.
#define PG_CATALOGUE_TYPE                                                                                    \
    "SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, coalesce((SELECT e.oid FROM pg_type e"             \
    " WHERE e.oid = t.typelem AND e.typarray = t.oid), 0) AS element, t.typname, t.typdelim FROM pg_type t"

#define PG_CATALOGUE_TYPE_COLUMNS "oid, kind, base, modifier, element, name, delimiter"

#define PG_CATALOGUE_TYPES_BELOW                                                                             \
    " UNION SELECT b.* FROM r JOIN LATERAL (" PG_CATALOGUE_TYPE                                              \
    " WHERE t.oid = CASE WHEN r.kind = 'd' THEN r.base ELSE r.element END) b ON true)"                       \
    " SELECT " PG_CATALOGUE_TYPE_COLUMNS " FROM r"

// The names of all partitioned tables above the given partitions; append a condition on c.oid.
#define PG_CATALOGUE_ANCESTORS                                                                               \
    "SELECT c.oid, n.nspname || '.' || x.relname FROM pg_class c CROSS JOIN LATERAL"                         \
    " pg_partition_ancestors(c.oid) a(oid) JOIN pg_class x ON x.oid = a.oid JOIN pg_namespace n ON"          \
    " n.oid = x.relnamespace WHERE c.relispartition AND a.oid <> c.oid AND "

/** The table's oid in a row of PG_CATALOGUE_COLUMNS. */
uint32_t pg_catalogue_row_table(const PGresult *r, int row);

/** Fills columns and replica identity from the rows [from, to). */
void pg_catalogue_read_columns(const PGresult *r, size_t from, size_t to, struct pg_catalogue *ret);

/** Reads the rows of PG_CATALOGUE_TYPES_BELOW; the caller frees the result. */
struct pg_type *pg_catalogue_read_types(const PGresult *r, size_t *ret_count);

#endif
