// Renews what a version's types have from the catalogue.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_RETYPE_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_RETYPE_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/catalogue/pg_types.h"
#include "schemas/avro/table.h"

/**
 * Takes over labels of enums and columns of composite types. Masked columns, and types that are not in
 * `types` any more, stay as they are.
 */
void pg_retype_columns(struct table *t, const struct type_modes *modes, const struct pg_type *types,
                       size_t type_count);

#endif
