// Which of the kept values can still be used: those that belong to the table as it is described now.
#ifndef CONNECTORS_POSTGRES_PG_TOAST_DEFINITION_H
#define CONNECTORS_POSTGRES_PG_TOAST_DEFINITION_H

#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/toast/toast_store.h"

/**
 * Compares the relation's definition with what the store knows of the table, once for each description, and
 * sets from which change on values of each column can be used.
 *
 * @param place  of the first change that it describes
 */
bool pg_toast_definition_check(struct toast_store *store, struct pg_relation *relation,
                               struct toast_position place, struct fault *f) MUST_USE;

#endif
