// A table's definition from the catalogue that a Relation message lacks: NOT NULL, defaults, key order, the
// definitions of its types.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_H

#include <libpq-fe.h>

#include "connectors/postgres/catalogue/pg_types.h"
#include "connectors/postgres/catalogue/pg_unsent.h"
#include "connectors/postgres/wire/pgoutput.h"
#include "core/base/text.h"
#include "schemas/avro/table.h"

struct pg_catalogue_column {
    char *name;
    char *default_text;  // pg_get_expr; NULL for none
    uint32_t type_oid;
    int32_t type_modifier;
    bool is_not_null;
    bool is_generated;
    bool is_left_out;       // by the publication's column list; pg_catalogue_set only
    bool is_identity;       // part of the current replica identity
    int identity_position;  // in the index that is the replica identity, from 0; 0 also when not in it
    int primary_position;   // in the primary key, from 0; -1: not in it
    uint16_t number;        // attnum
    int16_t length;         // of its values in a row; negative: it varies
    uint32_t written_by;    // the transaction that wrote its definition
    bool is_original;       // as it was when the table was created
};

/** One table as it is now. Zero-initialised is empty: a dropped table. */
struct pg_catalogue {
    struct pg_catalogue_column *columns;
    size_t column_count;
    struct pg_type *types;  // all types reachable from the columns
    size_t type_count;
    struct text_list ancestors;  // of a partition: the partitioned tables above it, "schema.table"
    char replica_identity;       // relreplident
    struct pg_unsent unsent;     // zero: nobody asks
    size_t toast_target;         // a row up to this size has no value stored out of line
    // Read by pg_catalogue_set only:
    uint32_t oid;
    char *schema;
    char *name;
    char *row_filter;  // of the publication; NULL: none
    bool is_settled;   // not altered since the slot's oldest transaction: true of all that the stream sends
};

/** Which tables are read, and for which slot. */
struct pg_catalogue_scope {
    const char *publications;  // SQL literals joined by commas
    const char *slot;          // its name; NULL: no table is settled
    const char *unsent_by;     // the publication by which `unsent` is judged; NULL: nobody asks
    const uint32_t *oids;      // these of the published tables
    size_t count;              // 0: all of them
    int server_version;
};

enum { PG_CATALOGUE_RESULTS = 5 };

/** Which transactions the statements after it see at least: see pg_visibility_parse. */
#define PG_CATALOGUE_SNAPSHOT "SELECT pg_current_snapshot();"

/**
 * Appends the queries, PG_CATALOGUE_RESULTS statements; the first one is PG_CATALOGUE_SNAPSHOT.
 *
 * @param scope     of one table
 * @param relation  a Relation message: its types are read too, even if the table no longer has them; may be
 * NULL
 */
void pg_catalogue_query(struct bytes *out, const struct pg_catalogue_scope *scope,
                        const struct pgoutput_relation *relation);

/** Appends the query, one statement, for the types of a version's columns: see pg_catalogue_read_types. */
void pg_catalogue_types_query(struct bytes *out, const struct table *t);

/** Reads its result; the caller frees it with pg_type_list_free. */
struct pg_type *pg_catalogue_read_types(const PGresult *r, size_t *ret_count);

/** Reads the results. */
void pg_catalogue_read(PGresult *const *results, struct pg_catalogue *ret);
void pg_catalogue_clear(struct pg_catalogue *c);

/** Makes the Relation message that the stream would send for a table of a pg_catalogue_set; borrowed from it.
 */
void pg_catalogue_describe(const struct pg_catalogue *c, int server_version, struct pgoutput_relation *ret);

/** The column with this name; NULL: none. */
const struct pg_catalogue_column *pg_catalogue_find(const struct pg_catalogue *c, struct slice name);

#endif
