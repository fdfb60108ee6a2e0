// The catalogue's facts of all published tables, read at once: when a stream begins, and again when the
// server describes its relations anew, which it does for all of them after CREATE SCHEMA or ALTER
// PUBLICATION. So a thousand tables do not cost a thousand queries, each of which stops the stream.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_SET_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_SET_H

#include "connectors/postgres/catalogue/pg_catalogue.h"

struct pg_catalogue_set {
    struct pg_catalogue *tables;  // their `types` are the set's
    uint32_t *oids;               // ascending, beside `tables`
    size_t count;
    struct pg_type *types;
    size_t type_count;
    uint64_t lsn;  // the end of the WAL when they were read
    int64_t read_us;
};

enum { PG_CATALOGUE_SET_RESULTS = 4 };

/** Appends the queries. @param publications  SQL literals joined by commas */
void pg_catalogue_set_query(struct bytes *out, const char *publications);
void pg_catalogue_set_read(PGresult *const *results, struct pg_catalogue_set *ret);
void pg_catalogue_set_clear(struct pg_catalogue_set *s);

/**
 * The facts of the message's table, if they speak of exactly the message's columns and types; NULL: read them
 * anew. Facts read after the transaction's commit serve every message; for a few seconds they also serve one
 * message of a later transaction, for most relations are described again without a change.
 *
 * @param commit_lsn  of the transaction that the message belongs to
 */
const struct pg_catalogue *pg_catalogue_set_take(struct pg_catalogue_set *s,
                                                 const struct pgoutput_relation *message,
                                                 uint64_t commit_lsn);

/** Whether the facts were read after the transaction's commit. */
static inline bool pg_catalogue_set_is_after(const struct pg_catalogue_set *s, uint64_t commit_lsn)
{
    return commit_lsn < s->lsn;
}

/** Whether to read the whole set again rather than one table that it could not serve: not twice within a
 * second. */
bool pg_catalogue_set_is_due(const struct pg_catalogue_set *s);

#endif
