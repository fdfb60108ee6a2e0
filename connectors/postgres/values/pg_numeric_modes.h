// PostgreSQL's numeric as a double, as text, and as Avro's logical type without Connect's annotations.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_MODES_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_MODES_H

#include "schemas/avro/value_type.h"

/** The nearest double. */
extern const struct type_ops PG_NUMERIC_DOUBLE;

/** PostgreSQL's text: 1.50, NaN, -Infinity. */
extern const struct type_ops PG_NUMERIC_STRING;

/** Avro's decimal, whose scale is from 0 to the precision. NaN makes the row a bad one: null in its place
 * would be a loss. */
extern const struct type_ops PG_NUMERIC_NATIVE;

#endif
