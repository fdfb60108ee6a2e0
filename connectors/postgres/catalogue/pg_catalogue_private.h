// The catalogue's queries and rows, shared by the reading of one table (pg_catalogue.c) and of all published
// tables (pg_catalogue_set.c).
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_PRIVATE_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_PRIVATE_H

#include "connectors/postgres/catalogue/pg_catalogue.h"

// The size from which on rows have values stored out of line: PostgreSQL's own, or less. That of partitions
// is their own.
#define PG_CATALOGUE_TOAST_TARGET                                                                            \
    "CASE WHEN c.relkind = 'p' THEN 128 ELSE least(current_setting('block_size')::int / 4 - 16, (SELECT"     \
    " o.option_value::int FROM pg_options_to_table(c.reloptions) o WHERE o.option_name ="                    \
    " 'toast_tuple_target')) END"

// pg_get_expr gets no table: with the table's oid it would wait for locks on it, and the stream with it. A
// default has no variables, so it needs none.
#define PG_CATALOGUE_COLUMNS                                                                                 \
    "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull OR (y.typtype = 'd' AND y.typnotnull),"         \
    " CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, 0) END,"                                       \
    " a.attgenerated <> '', coalesce(array_position(p.indkey, a.attnum) < p.indnkeyatts, false),"            \
    " array_position(p.indkey, a.attnum), c.relreplident = 'f' OR CASE c.relreplident"                       \
    " WHEN 'i' THEN coalesce(array_position(i.indkey, a.attnum) < i.indnkeyatts, false)"                     \
    " WHEN 'd' THEN coalesce(array_position(p.indkey, a.attnum) < p.indnkeyatts, false) ELSE false END,"     \
    " c.oid, c.relreplident, coalesce(array_position(i.indkey, a.attnum), 0), a.attnum, a.attlen, a.xmin,"   \
    " a.xmin = (SELECT m.xmin FROM pg_attribute m WHERE m.attrelid = c.oid AND m.attnum = -1)"               \
    ", " PG_CATALOGUE_TOAST_TARGET " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"              \
    " LEFT JOIN pg_type y ON y.oid = a.atttypid"                                                             \
    " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"                               \
    " LEFT JOIN pg_index p ON p.indrelid = c.oid AND p.indisprimary"                                         \
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisreplident"

// A recursive query over types: from domains to their base types, from arrays, ranges and composites to the
// types in them.
#define PG_CATALOGUE_TYPE                                                                                    \
    "SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, coalesce((SELECT e.oid FROM pg_type e"             \
    " WHERE e.oid = t.typelem AND e.typarray = t.oid), 0) AS element, t.typname, t.typdelim,"                \
    " coalesce((SELECT g.rngsubtype FROM pg_range g WHERE g.rngtypid = t.oid), (SELECT g.rngtypid FROM"      \
    " pg_range g WHERE g.rngmultitypid = t.oid), 0) AS below, t.typsend::oid <> 0 AS has_send,"              \
    " nullif(s.nspname, 'pg_catalog') AS schema, (SELECT x.extname FROM pg_depend p JOIN pg_extension x"     \
    " ON x.oid = p.refobjid WHERE p.classid = 'pg_type'::regclass AND p.objid = t.oid AND p.refclassid ="    \
    " 'pg_extension'::regclass AND p.deptype = 'e') AS extension,"                                           \
    " CASE WHEN t.typtype = 'e' THEN (SELECT json_agg(u.enumlabel ORDER BY u.enumsortorder)::text FROM"      \
    " pg_enum u WHERE u.enumtypid = t.oid) END AS labels,"                                                   \
    " CASE WHEN t.typtype = 'c' THEN (SELECT json_agg(json_build_array(f.attname, f.atttypid::bigint,"       \
    " f.atttypmod) ORDER BY f.attnum)::text FROM pg_attribute f WHERE f.attrelid = t.typrelid AND f.attnum"  \
    " > 0 AND NOT f.attisdropped) END AS fields"                                                             \
    " FROM pg_type t JOIN pg_namespace s ON s.oid = t.typnamespace"

#define PG_CATALOGUE_TYPE_COLUMNS                                                                            \
    "oid, kind, base, modifier, element, name, delimiter, below, has_send, schema, extension, labels, "      \
    "fields"

#define PG_CATALOGUE_TYPES_BELOW                                                                             \
    " UNION SELECT b.* FROM r JOIN LATERAL (" PG_CATALOGUE_TYPE                                              \
    " WHERE t.oid = ANY (ARRAY[r.base, r.element, r.below] || ARRAY(SELECT f.atttypid FROM pg_type q JOIN"   \
    " pg_attribute f ON f.attrelid = q.typrelid WHERE q.oid = r.oid AND r.kind = 'c' AND f.attnum > 0"       \
    " AND NOT f.attisdropped))) b ON true)"                                                                  \
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

#endif
