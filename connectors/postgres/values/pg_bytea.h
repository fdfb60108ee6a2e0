// Converts bytea.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_BYTEA_H
#define CONNECTORS_POSTGRES_VALUES_PG_BYTEA_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_BYTEA_BYTES;   // Avro bytes
extern const struct type_ops PG_BYTEA_BASE64;  // a string, with padding
extern const struct type_ops PG_BYTEA_HEX;     // a string, lower case, without \x

#endif
