// Ranges and multiranges, of the built-in types and of users' own: strings with PostgreSQL's text form.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_RANGE_H
#define CONNECTORS_POSTGRES_VALUES_PG_RANGE_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_RANGE;       // `element` is the type of the bounds
extern const struct type_ops PG_MULTIRANGE;  // `element` is the range

#endif
