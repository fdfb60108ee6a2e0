// Maps a PostgreSQL type's oid and modifier to a column type.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TYPES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TYPES_H

#include "schemas/avro/table.h"

/** One row of pg_type, for types that are not built in. */
struct pg_type {
    uint32_t oid;
    char kind;              // typtype: b base, c composite, d domain, e enum, r range, m multirange
    uint32_t base_oid;      // of a domain
    int32_t base_modifier;  // the domain's modifier of its base type
    uint32_t element_oid;   // of an array type; else 0
    char delimiter;         // between an array's elements
    char name[64];
};

/** Whether it is a built-in type with a rule, or an array of one, so that no catalogue look-up is needed. */
bool pg_types_is_known(uint32_t oid);

/**
 * Fills the members of a column that depend on its type, including its functions.
 *
 * @param types     the catalogue's rows of all types reachable from `oid` that are not known; may be NULL
 * @param ret_name  the type's name if it has no rule and is published as text; else NULL; borrowed
 */
void pg_types_map(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count,
                  struct column *ret, const char **ret_name);

#endif
