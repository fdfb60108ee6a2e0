// hstore, as JSON text or as a map, with Debezium's order of the keys.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_HSTORE_H
#define CONNECTORS_POSTGRES_VALUES_PG_HSTORE_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_HSTORE_JSON;  // string, io.debezium.data.Json
extern const struct type_ops PG_HSTORE_MAP;   // map of ["null","string"]

#endif
