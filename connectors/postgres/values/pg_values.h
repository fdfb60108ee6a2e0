// The one table of types: which functions make a column's values.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_VALUES_H
#define CONNECTORS_POSTGRES_VALUES_PG_VALUES_H

#include "schemas/avro/table.h"

/** Sets the column's functions by its type and is_array. */
void pg_values_bind(struct column *c);

#endif
