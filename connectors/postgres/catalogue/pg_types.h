// The type table: resolves a PostgreSQL type's oid and modifier to a tree of types with their functions.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TYPES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TYPES_H

#include "schemas/avro/value_type.h"

struct pg_type_field {
    char *name;
    uint32_t oid;
    int32_t modifier;
};

/** One row of pg_type. Freed by pg_type_list_free. */
struct pg_type {
    uint32_t oid;
    char kind;              // typtype: b base, c composite, d domain, e enum, r range, m multirange
    char delimiter;         // between an array's elements
    bool has_send;          // has a binary form
    uint32_t base_oid;      // of a domain
    int32_t base_modifier;  // the domain's modifier of its base type
    uint32_t element_oid;   // of an array type; else 0
    uint32_t below_oid;     // a range's subtype, a multirange's range; else 0
    char *name;
    char *schema;                  // NULL: built in
    char *extension;               // that it belongs to; NULL: none
    struct text_list labels;       // of an enum, in sort order
    struct pg_type_field *fields;  // of a composite type, in order
    size_t field_count;
};

/** Whether it is a built-in type with a rule, or an array of one, so that no catalogue look-up is needed. */
bool pg_types_is_known(uint32_t oid);

/**
 * Resolves a type: domains to their base types, with all types below it.
 *
 * @param types      the catalogue's rows of all types reachable from `oid` that are not known; may be NULL
 * @param ret        overwritten; the caller clears it
 * @param ret_plain  the name of the type, or of the array's element type, if it has no rule and is published
 *                   as text; else NULL; borrowed from `types`
 */
void pg_types_resolve(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count,
                      struct value_type *ret, const char **ret_plain);

enum {
    PG_TYPES_MAX = 10000,     // types in a column's type, each as often as it is used; beyond it is text
    PG_TYPES_DEPTH_MAX = 32,  // of types in types
};

/** Whether the type has more types in it than that, so that pg_types_resolve makes it text. */
bool pg_types_is_too_large(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count);

/** Whether Debezium leaves columns of the type out, as it has no converter for it
 * (include.unknown.datatypes=false). */
bool pg_types_is_left_out(uint32_t oid, const struct pg_type *types, size_t type_count);

/** Frees an array of them. */
void pg_type_list_free(struct pg_type *types, size_t count);

#endif
