// PostGIS's types, as Debezium's records of extended well-known binary (EWKB).
#ifndef CONNECTORS_POSTGRES_VALUES_PG_POSTGIS_H
#define CONNECTORS_POSTGRES_VALUES_PG_POSTGIS_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_POSTGIS_GEOMETRY;   // io.debezium.data.geometry.Geometry
extern const struct type_ops PG_POSTGIS_GEOGRAPHY;  // io.debezium.data.geometry.Geography

#endif
