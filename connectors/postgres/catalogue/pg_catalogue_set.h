// The catalogue's facts of all published tables, read at once when a stream begins, so that a thousand tables
// do not cost a thousand questions.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_SET_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_CATALOGUE_SET_H

#include "connectors/postgres/catalogue/pg_catalogue.h"

struct pg_catalogue_set {
    struct pg_catalogue *tables;  // their `types` are the set's
    uint32_t *oids;               // ascending, beside `tables`
    size_t count;
    struct pg_type *types;
    size_t type_count;
    int64_t read_us;
};

enum { PG_CATALOGUE_SET_RESULTS = 3 };

/** Appends the queries. @param publications  SQL literals joined by commas */
void pg_catalogue_set_query(struct bytes *out, const char *publications);
void pg_catalogue_set_read(PGresult *const *results, struct pg_catalogue_set *ret);
void pg_catalogue_set_clear(struct pg_catalogue_set *s);

/**
 * The facts of the message's table, when they are fresh and speak of exactly the message's columns and types;
 * NULL: ask anew. Each is given once: a second Relation message means that something changed.
 */
const struct pg_catalogue *pg_catalogue_set_take(struct pg_catalogue_set *s,
                                                 const struct pgoutput_relation *message);

#endif
