// Adds and removes tables so that the publications have the matching ones: at the start, and after changes of
// the catalogue.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_PUBLICATION_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_PUBLICATION_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/wire/pg_conn.h"
#include "connectors/source.h"

struct pg_publication;

/** f is NULL when all that our role may do is done (the rest is logged). */
typedef void (*pg_publication_on_done)(void *self, const struct fault *f);

/** has_changed: tables, keys or publications may have changed since the last scan. */
typedef void (*pg_publication_on_probed)(void *self, bool has_changed, const struct fault *f);

/** Called at each reconciliation for every table that is published after it; names are borrowed. */
typedef void (*pg_publication_on_table)(void *self, const char *schema, const char *name);

/** `config` and `component` are borrowed as long as the object lives. */
struct pg_publication *pg_publication_new(const struct connector_config *config, const char *component,
                                          pg_publication_on_table on_table, void *self);
void pg_publication_free(struct pg_publication *t);

/** Checks with a cheap query whether the catalogue has changed since the last scan. Connections are lent. */
void pg_publication_probe(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_probed on_probed,
                          void *self);

/**
 * Reads tables and publications and decides which publication each table belongs to. Tables without a replica
 * identity are never added to the main publication, because the application's UPDATE would fail; if they
 * match tables.publish_inserts_only they belong to `<publication>_inserts`.
 */
void pg_publication_scan(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_done on_done,
                         void *self);

/**
 * After a scan: adds to io->unread the tables that the next reconciliation captures for the first time. If it
 * is full, the others wait for a later scan.
 *
 * @return  true when tables were added: save the state before the reconciliation
 */
bool pg_publication_list_new(struct pg_publication *t, struct source_state *io) MUST_USE;

/**
 * After a scan: changes the publications.
 *
 * @param on_done  FAULT_CONFIG, with the required SQL: a publication is missing and our role may not create
 * it; FAULT_RETRY for other failures
 */
void pg_publication_reconcile(struct pg_publication *t, struct pg_conn *conn, pg_publication_on_done on_done,
                              void *self);

/** After a scan: how many entries of `tables` match no table of the database. */
size_t pg_publication_unmatched(const struct pg_publication *t);

/** Whether the last reconciliation made all changes that the scan wanted for tables of our role. */
bool pg_publication_is_reconciled(const struct pg_publication *t);

/** After a reconciliation: no table is captured, and a new table would not be captured from its first row. */
bool pg_publication_is_empty(const struct pg_publication *t);

/** Appends why no table is captured, and the SQL that helps. */
void pg_publication_explain_none(const struct pg_publication *t, struct bytes *out);

/** Appends the names in the format of START_REPLICATION's option: '"a","b"'. */
void pg_publication_names(const struct pg_publication *t, struct bytes *out);

/**
 * Leaves the second publication out of pg_publication_names: at the slot's position, which is older, the
 * server does not know it. True: `f` (FAULT_RETRY) ends the session. False: there is none, or it is left out.
 */
bool pg_publication_leave_inserts_out(struct pg_publication *t, struct fault *f) MUST_USE;
void pg_publication_take_inserts_in(struct pg_publication *t);

/** Whether the server's text names the second publication. */
bool pg_publication_is_inserts_named(const struct pg_publication *t, const char *text);
bool pg_publication_is_inserts_out(const struct pg_publication *t);

/** Appends the names as a list of SQL literals: 'a','b'. */
void pg_publication_literals(const struct pg_publication *t, struct bytes *out);

#endif
