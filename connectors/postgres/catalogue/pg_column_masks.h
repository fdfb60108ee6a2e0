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

bool pg_column_masks_is_any(const struct pg_column_masks *m);

/** The mask of "schema.table.column"; NULL: none. */
const struct pg_mask *pg_column_masks_find_name(const struct pg_column_masks *m, const char *name);

/** Which of two shows less: a hash or a text counts before a beginning, and of those the shorter one. NULL is
 * no mask. */
const struct pg_mask *pg_column_masks_stricter(const struct pg_mask *a, const struct pg_mask *b);

#endif
