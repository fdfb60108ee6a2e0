// What the schema-change topic says of a table besides its schemas.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_SHAPE_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_SHAPE_H

#include "connectors/postgres/catalogue/pg_catalogue.h"
#include "schemas/avro/table.h"

/** Types and replica identity are the message's, and so those at the time of the change; defaults are the
 * catalogue's, of columns that still have their type; a masked column's is left out, as in its schema: it may
 * be a value that the mask hides. `columns` are the message's. The caller frees it. */
struct table_shape *pg_shape_make(const struct pgoutput_relation *message,
                                  const struct pg_catalogue *catalogue, const struct column *columns);

#endif
