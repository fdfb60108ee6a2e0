#include "connectors/postgres/catalogue/pg_unsent.h"

#include <stdlib.h>

#include "connectors/postgres/wire/pg_conn.h"
#include "core/base/text.h"

// A transaction's number alone would do if transactions committed in the order of their numbers.
//
// made: the rows of system columns are written by CREATE TABLE and by nothing else.
// up: the table and the partitioned ones above it. pg_partition_tree would lock what is below.
#define PG_UNSENT_TABLES                                                                                     \
    ";WITH RECURSIVE made AS NOT MATERIALIZED (SELECT attrelid AS oid, xmin AS wrote FROM pg_attribute"      \
    " WHERE attnum = -1), t AS (SELECT c.oid, c.relkind FROM pg_class c WHERE c.oid IN (%s)),"               \
    " up AS (SELECT t.oid, t.oid AS above FROM t UNION SELECT t.oid, a.oid FROM t CROSS JOIN LATERAL"        \
    " pg_partition_ancestors(t.oid) a(oid)),"                                                                \
    " below AS (SELECT t.oid, h.inhrelid AS part, h.xmin AS wrote FROM t JOIN pg_inherits h"                 \
    " ON h.inhparent = t.oid WHERE t.relkind = 'p' UNION ALL SELECT b.oid, h.inhrelid, h.xmin FROM below b"  \
    " JOIN pg_inherits h ON h.inhparent = b.part),"                                                          \
    " p AS (SELECT oid, xmin AS wrote FROM pg_publication WHERE pubname = %s),"

// Of partitions only those count that were attached after they had been made.
#define PG_UNSENT_FACTS                                                                                      \
    " f(oid, kind, of, wrote) AS (SELECT u.oid, 'i', h.inhrelid, h.xmin FROM up u JOIN pg_inherits h"        \
    " ON h.inhrelid = u.above JOIN pg_class c ON c.oid = h.inhparent AND c.relkind = 'p'"                    \
    " JOIN made m ON m.oid = h.inhrelid WHERE h.xmin <> m.wrote"                                             \
    " UNION ALL SELECT b.oid, 'i', b.part, b.wrote FROM below b JOIN made m ON m.oid = b.part"               \
    " WHERE b.wrote <> m.wrote"                                                                              \
    " UNION ALL SELECT u.oid, 'n', c.oid, y.xmin FROM up u JOIN pg_class c ON c.oid = u.above"               \
    " JOIN pg_type y ON y.oid = c.reltype"                                                                   \
    " UNION ALL SELECT t.oid, 'p', p.oid, p.wrote FROM t CROSS JOIN p"                                       \
    " UNION ALL SELECT u.oid, 'r', r.oid, r.xmin FROM up u JOIN pg_publication_rel r ON r.prrelid = u.above" \
    " JOIN p ON p.oid = r.prpubid"

#define PG_UNSENT_SCHEMAS                                                                                    \
    " UNION ALL SELECT u.oid, 's', n.oid, n.xmin FROM up u JOIN pg_class c ON c.oid = u.above"               \
    " JOIN pg_publication_namespace n ON n.pnnspid = c.relnamespace JOIN p ON p.oid = n.pnpubid"

// Settled: true of all that the stream sends.
#define PG_UNSENT_ROWS                                                                                       \
    ") SELECT f.oid, string_agg(f.kind || f.of || ' ' || f.wrote::text, ' ' ORDER BY f.kind, f.of),"         \
    " bool_and(f.wrote = m.wrote OR coalesce(age(f.wrote) > (SELECT age(s.catalog_xmin) FROM"                \
    " pg_replication_slots s WHERE s.slot_name = %s), false))"                                               \
    " FROM f JOIN made m ON m.oid = f.oid GROUP BY f.oid"

void pg_unsent_query(struct bytes *out, const struct pg_unsent_scope *scope, const char *tables)
{
    CLEANUP(bytes_clear) struct bytes slot = {0};
    CLEANUP(bytes_clear) struct bytes publication = {0};
    if (scope->publication == NULL) {
        bytes_append_string(out, ";SELECT 0, '', false WHERE false");
        return;
    }
    pg_conn_quote_text(&slot, scope->slot == NULL ? "" : scope->slot);
    pg_conn_quote_text(&publication, scope->publication);
    bytes_format(out, PG_UNSENT_TABLES PG_UNSENT_FACTS, tables, bytes_text(&publication));
    bytes_append_string(out, scope->server_version >= 150000 ? PG_UNSENT_SCHEMAS : "");
    bytes_format(out, PG_UNSENT_ROWS, bytes_text(&slot));
}

struct pg_unsent pg_unsent_read(const PGresult *r, int row, uint32_t *ret_table)
{
    *ret_table = (uint32_t)strtoul(PQgetvalue(r, row, 0), NULL, 10);
    return (struct pg_unsent){text_hash(slice_of(PQgetvalue(r, row, 1))), PQgetvalue(r, row, 2)[0] == 't'};
}
