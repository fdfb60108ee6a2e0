// The catalogue's definitions of all published tables, read together: when a stream begins, and when the
// server sends the Relation messages of all tables again, as it does after CREATE SCHEMA or ALTER
// PUBLICATION. A thousand tables would otherwise need a thousand queries, each of which stops the stream.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_SET_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_SET_H

#include "connectors/postgres/catalogue/pg_catalogue.h"
#include "connectors/postgres/catalogue/pg_visibility.h"

struct pg_catalogue_set {
    struct pg_catalogue *tables;  // their `types` belong to the set
    uint32_t *oids;               // ascending; oids[i] is that of tables[i]
    size_t count;
    struct pg_type *types;
    size_t type_count;
    struct pg_visibility seen;  // the transactions that they were read with, at least
    uint64_t lsn;               // the end of the WAL when they were read
    int64_t read_us;
    // Kept by pg_catalogue_set_forget:
    size_t last_count;  // tables of the last set that was read
    size_t queried;     // tables that were read alone since then
    int64_t retry_us;   // the set could not be read: not before this
};

enum { PG_CATALOGUE_SET_RESULTS = 7 };

/** Appends the queries. */
void pg_catalogue_set_query(struct bytes *out, const struct pg_catalogue_scope *scope);
void pg_catalogue_set_read(PGresult *const *results, struct pg_catalogue_set *ret);
void pg_catalogue_set_clear(struct pg_catalogue_set *s);

/** Frees the tables; what pg_catalogue_set_is_due goes by stays. */
void pg_catalogue_set_forget(struct pg_catalogue_set *s);

/** The table with this oid; NULL: it is not in the set. */
struct pg_catalogue *pg_catalogue_set_find(const struct pg_catalogue_set *s, uint32_t oid);

/** Whether the stream has passed the set, so that hardly a message can be served from it any more.
 *
 * @param commit_lsn  of the last transaction */
bool pg_catalogue_set_is_over(const struct pg_catalogue_set *s, uint64_t commit_lsn);

/**
 * The definition of the message's table, if it has all of the message's columns with their types; NULL: read
 * it from the catalogue. Only a definition that was read when the transaction was visible has what the
 * message does not tell: NOT NULL, defaults, the primary key.
 *
 * @param transaction_id  of the transaction that the message belongs to
 */
const struct pg_catalogue *pg_catalogue_set_take(const struct pg_catalogue_set *s,
                                                 const struct pgoutput_relation *message,
                                                 uint32_t transaction_id);

/**
 * Whether to read the whole set instead of the one table that is missing in it: once the tables that were
 * read alone have cost as much as the set will. So a change of one table costs one query, and a thousand
 * tables whose first rows come one after the other cost at most twice the least. A set that could not be read
 * is not due for a second.
 */
bool pg_catalogue_set_is_due(const struct pg_catalogue_set *s);

#endif
