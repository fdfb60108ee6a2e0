// The built-in geometric types, as Debezium's records.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_GEOMETRIC_H
#define CONNECTORS_POSTGRES_VALUES_PG_GEOMETRIC_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_GEOMETRIC_POINT;
extern const struct type_ops PG_GEOMETRIC;  // line, lseg, box, path, polygon, circle: by the type's oid

/** The schema of io.debezium.data.geometry.Geometry, which PostGIS's geometry has, too. */
void pg_geometric_append_geometry(struct bytes *out, struct schema_names *io_names);

#endif
