// The columns that choose the partition of a table's records: `partition_by`.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_PARTITION_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_PARTITION_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/catalogue/pg_catalogue.h"

/** Fills in the version's partition columns, or why they can't be used: old tuples must have all of them, or
 * the partition of a row that is updated or deleted is not known. */
void pg_partition_set(const struct connector_config *config, const struct pgoutput_relation *message,
                      const struct pg_catalogue *catalogue, struct table *t);

/** Whether rows of both versions go to the same partitions. */
bool pg_partition_is_same(const struct table *a, const struct table *b);

/** Logs the problem of a new version, if it has one. */
void pg_partition_log(const char *component, const struct table *t);

#endif
