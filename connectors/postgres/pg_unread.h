// The tables that are still to be read, in a connector's state record.
#ifndef CONNECTORS_POSTGRES_PG_UNREAD_H
#define CONNECTORS_POSTGRES_PG_UNREAD_H

#include "connectors/source.h"

/** Whether both records say the same of the snapshot and of the tables to be read. */
bool pg_unread_is_same(const struct source_state *a, const struct source_state *b);

/** Sets the tables; those beyond SOURCE_UNREAD_MAX are left out. */
void pg_unread_set(struct source_state *state, const uint32_t *oids, size_t count);

/**
 * Adds those of `fresh` that `known` lacks. Some may be in the record from an earlier attempt, which did not
 * find them in the publication yet. Without room, `known` gets all that `record` has. False: there is none to
 * add.
 */
bool pg_unread_add(struct source_state *known, const struct source_state *fresh,
                   const struct source_state *record);

#endif
