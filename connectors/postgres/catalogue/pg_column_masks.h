// The masks of a connector's columns, as its configuration names them.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_MASKS_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_MASKS_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/values/pg_mask.h"

struct pg_column_masks;

/** `config` is lent. */
struct pg_column_masks *pg_column_masks_new(const struct connector_config *config);
void pg_column_masks_free(struct pg_column_masks *m);

/** The mask of the column; NULL: none. @param table "schema.table" @param ancestors of a partition */
const struct pg_mask *pg_column_masks_find(const struct pg_column_masks *m, const char *table,
                                           const struct text_list *ancestors, const char *column);

#endif
