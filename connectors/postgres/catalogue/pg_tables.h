// Keeps our publications in step with the tables that match: made at the start, looked at again every 30 s.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TABLES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TABLES_H

#include "connectors/connector_config.h"
#include "connectors/postgres/wire/pg_conn.h"

struct pg_tables;

/** f NULL: the publications are as they should be, or as near as our rights allow (the rest is logged). */
typedef void (*pg_tables_on_done)(void *self, const struct fault *f);

/** Told at each check of every table that is in our publications after it; names borrowed for the call. */
typedef void (*pg_tables_on_table)(void *self, const char *schema, const char *name);

/** `config` and `component` are borrowed as long as the object lives. */
struct pg_tables *pg_tables_new(const struct connector_config *config, const char *component,
                                pg_tables_on_table on_table, void *self);
void pg_tables_free(struct pg_tables *t);

/**
 * Compares and mends. Tables without a replica identity never enter the main publication, because the
 * application's own UPDATE would fail; those that match tables.publish_inserts_only enter
 * `<publication>_inserts`.
 *
 * @param conn     an ordinary connection; must outlive the call or be closed first
 * @param on_done  FAULT_CONFIG: a publication is missing and may not be made, with the SQL; FAULT_RETRY else
 */
void pg_tables_check(struct pg_tables *t, struct pg_conn *conn, pg_tables_on_done on_done, void *self);

/** Appends the names as START_REPLICATION's option wants them: '"a","b"'. */
void pg_tables_publication_names(const struct pg_tables *t, struct bytes *out);

/** Appends the names as a list of SQL literals: 'a','b'. */
void pg_tables_publication_literals(const struct pg_tables *t, struct bytes *out);

#endif
