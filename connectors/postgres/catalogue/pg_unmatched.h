// Which entries of the configuration's selection match no table or column that is captured: a misspelled mask
// would let values leave in the clear, and nobody would notice.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_UNMATCHED_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_UNMATCHED_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/wire/pgoutput.h"

struct pg_unmatched;

/** @param component  for the log; lent, as `config` is */
struct pg_unmatched *pg_unmatched_new(const struct connector_config *config, const char *component);

/** Accepts NULL. */
void pg_unmatched_free(struct pg_unmatched *u);

/** Notes what a captured table and its columns match. @param table "schema.table" */
void pg_unmatched_see(struct pg_unmatched *u, const char *table, const struct text_list *ancestors,
                      const struct pgoutput_relation *message);

/** Logs each entry that nothing has matched (nothing_matched), the first time that it is called. */
void pg_unmatched_report(struct pg_unmatched *u);

/** How many of them there are; 0 before pg_unmatched_report. */
size_t pg_unmatched_count(const struct pg_unmatched *u);

#endif
