// Converts PostgreSQL's integers, floats and booleans to Avro.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMBER_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMBER_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_NUMBER_BOOLEAN;
extern const struct type_ops PG_NUMBER_INT16;
extern const struct type_ops PG_NUMBER_INT32;
extern const struct type_ops PG_NUMBER_INT64;
extern const struct type_ops PG_NUMBER_OID;  // as int8, without a default
extern const struct type_ops PG_NUMBER_FLOAT32;
extern const struct type_ops PG_NUMBER_FLOAT64;

#endif
