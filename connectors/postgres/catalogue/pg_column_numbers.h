// Which of the catalogue's columns those of a Relation message are: the message has no numbers, and the
// catalogue may be newer. A column keeps its number (attnum) when it is renamed, and no other column of its
// table ever gets it.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_NUMBERS_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_NUMBERS_H

#include "connectors/postgres/catalogue/pg_catalogue.h"
#include "connectors/postgres/wire/pgoutput.h"

/** The number is one of these; it is known if there is only one. */
struct pg_column_range {
    uint16_t low;
    uint16_t high;
};

static inline bool pg_column_range_is_exact(const struct pg_column_range *r)
{
    return r->low == r->high;
}

/**
 * A message that has columns of the catalogue, by name and type and in their order, is described by it. Else
 * columns were altered since. All of the catalogue's up to the message's last one were there already, so the
 * message's column i is at most the catalogue's column i, and at least number i + 1. Of columns that were not
 * renamed the name tells.
 *
 * @param ret  the ranges of the message's columns, which the caller has allocated
 * @return whether all are known
 */
bool pg_column_numbers_find(const struct pgoutput_relation *message, const struct pg_catalogue *now,
                            struct pg_column_range *ret);

#endif
