// Chooses the functions of a resolved type by the configured modes.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TYPE_MODES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TYPE_MODES_H

#include "connectors/config/connector_config.h"
#include "schemas/avro/value_type.h"

/** Replaces the functions of the type, which pg_types_resolve has set, and of all types below it. */
void pg_type_modes_apply(struct value_type *t, const struct type_modes *modes);

#endif
