// The names of types, and what JDBC calls them.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TYPE_NAMES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TYPE_NAMES_H

#include "connectors/postgres/catalogue/pg_types.h"
#include "schemas/avro/table_shape.h"

/**
 * Fills in type, expression, length, scale and JDBC type of a column.
 *
 * @param types  the catalogue's rows of types that are not built in
 * Source: pgjdbc, TypeInfoCache.
 */
void pg_type_names_set(uint32_t oid, int32_t modifier, const struct pg_type *types, size_t type_count,
                       struct column_shape *ret);

#endif
