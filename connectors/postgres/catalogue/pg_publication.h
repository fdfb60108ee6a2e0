// Keeps our publications in step with the tables that match: at the start, and whenever the catalogue
// changes.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_PUBLICATION_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_PUBLICATION_H

#include "connectors/connector_config.h"
#include "connectors/postgres/wire/pg_conn.h"
#include "connectors/source.h"

struct pg_publication;

/** f NULL: done, as far as our rights allow (the rest is logged). */
typedef void (*pg_publication_on_done)(void *self, const struct fault *f);

/** has_changed: tables, keys or publications may differ from what was scanned last. */
typedef void (*pg_publication_on_probed)(void *self, bool has_changed, const struct fault *f);

/** Called at each reconciliation for every table that is in our publications after it; names are borrowed. */
typedef void (*pg_publication_on_table)(void *self, const char *schema, const char *name);

/** `config` and `component` are borrowed as long as the object lives. */
struct pg_publication *pg_publication_new(const struct connector_config *config, const char *component,
                                          pg_publication_on_table on_table, void *self);
void pg_publication_free(struct pg_publication *t);

/** Asks, cheaply, whether the catalogue has changed since the last scan. Connections are lent. */
void pg_publication_probe(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_probed on_probed,
                          void *self);

/**
 * Reads tables and publications and decides each table's place. Tables without a replica identity never
 * enter the main publication, because the application's own UPDATE would fail; those that match
 * tables.publish_inserts_only enter `<publication>_inserts`.
 */
void pg_publication_scan(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_done on_done,
                         void *self);

/**
 * After a scan: adds the tables that the next reconciliation captures for the first time to io->unread. Those
 * that find no room there wait for a later scan.
 *
 * @return  true when something was added: to be remembered before the reconciliation
 */
bool pg_publication_list_new(struct pg_publication *t, struct source_state *io) MUST_USE;

/**
 * After a scan: changes the publications.
 *
 * @param on_done  FAULT_CONFIG: a publication is missing and may not be made, with the SQL; FAULT_RETRY else
 */
void pg_publication_reconcile(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_done on_done,
                              void *self);

/** After a reconciliation: whether it did all that the scan wanted of our own tables. */
bool pg_publication_is_reconciled(const struct pg_publication *t);

/** After a reconciliation: no table is captured, nor would one that appears be from its first row. */
bool pg_publication_is_empty(const struct pg_publication *t);

/** Appends why no table is captured, with what to type. */
void pg_publication_explain_none(const struct pg_publication *t, struct bytes *out);

/** Appends the names as START_REPLICATION's option wants them: '"a","b"'. */
void pg_publication_names(const struct pg_publication *t, struct bytes *out);

/** Appends the names as a list of SQL literals: 'a','b'. */
void pg_publication_literals(const struct pg_publication *t, struct bytes *out);

#endif
