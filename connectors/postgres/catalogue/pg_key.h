// Which columns are the key of a table's records.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_KEY_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_KEY_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/catalogue/pg_catalogue.h"
#include "connectors/postgres/wire/pgoutput.h"
#include "schemas/avro/table.h"

/**
 * Sets the key of a version whose columns are the message's. Every old tuple must contain the key, so it must
 * be part of the replica identity: the primary key if it is, else the identity's columns. A table without an
 * identity has its primary key as the key, or none. `keys` of the configuration comes first; if it can't be
 * used that is logged (key_not_used).
 *
 * @param component  for the log
 */
void pg_key_set(const struct connector_config *config, const char *component,
                const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                struct table *t);

#endif
