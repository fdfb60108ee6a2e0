// Which Avro form a PostgreSQL column gets, from its type's oid and modifier.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TYPES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TYPES_H

#include "schemas/avro/table.h"

/** One row of pg_type, for types that are not built in. */
struct pg_type {
    uint32_t oid;
    char kind;              // typtype: b base, c composite, d domain, e enum, r range, m multirange
    uint32_t base_oid;      // of a domain
    int32_t base_modifier;  // what a domain lays on its base
    uint32_t element_oid;   // of a true array; 0
    char delimiter;         // between a true array's elements
    char name[64];
};

/** Whether the oid needs no catalogue look-up: a built-in type with a rule, or an array of one. */
bool pg_types_is_known(uint32_t oid);

/**
 * Fills all of a column that follows from its type, its functions included.
 *
 * @param types     what the catalogue said of every type reachable from `oid` that is not known; may be NULL
 * @param ret_name  the type's name when there is no rule for it and its text stands as a string; else NULL;
 * borrowed
 */
void pg_types_map(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count,
                  struct column *ret, const char **ret_name);

#endif
