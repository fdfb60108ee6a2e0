// The table of the functions that convert each column type's values.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_VALUES_H
#define CONNECTORS_POSTGRES_VALUES_PG_VALUES_H

#include "schemas/avro/table.h"

/** Sets the column's functions from its type and is_array. */
void pg_values_bind(struct column *c);

/**
 * As pg_values_bind, for a type without a rule of its own, whose text is published as a string.
 *
 * @param has_placeholder  whether the placeholder can be told from a value of the type
 */
void pg_values_bind_plain(struct column *c, bool has_placeholder);

#endif
