// Times in which the server did not send a table's changes: it was not in the publication, or a partition was
// detached. The catalogue does not say when such a time began, but each end of one writes a row: of
// pg_inherits, pg_publication and those below it, or of pg_type (a rename, or a move to another schema).
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_UNSENT_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_UNSENT_H

#include <libpq-fe.h>

#include "core/base/bytes.h"

struct pg_unsent {
    uint64_t ends;    // a hash of those rows: it differs when another time is over
    bool is_settled;  // they are older than all that the stream sends, or as old as the table
};

struct pg_unsent_scope {
    const char *publication;  // NULL: nobody asks, the result has no rows
    const char *slot;         // its name; NULL: only what is as old as the table is settled
    int server_version;
};

/**
 * Appends the query, one statement, that waits for no lock.
 *
 * @param tables  SQL that stands in parentheses after IN: oids, or a query for them
 */
void pg_unsent_query(struct bytes *out, const struct pg_unsent_scope *scope, const char *tables);

/** Reads a row of its result. *ret_table: the oid that it is about. */
struct pg_unsent pg_unsent_read(const PGresult *r, int row, uint32_t *ret_table);

#endif
