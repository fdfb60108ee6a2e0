// A group of tests of the PostgreSQL source, against one real server that is cleaned before each test.
#ifndef TESTS_COMPONENT_CONNECTORS_POSTGRES_SOURCE_CASE_H
#define TESTS_COMPONENT_CONNECTORS_POSTGRES_SOURCE_CASE_H

#include <libpq-fe.h>

#include "connectors/postgres/pg_source.h"
#include "tests/component/connectors/postgres/pg_server.h"
#include "tests/component/connectors/postgres/source_driver.h"

struct CMUnitTest;

extern struct pg_server source_case_server;

/** What a main returns: runs the tests, each on the cleaned server. */
int source_case_run(struct CMUnitTest *tests, size_t count);

/** Opens a connector of this name, and waits until it streams. */
void source_case_open(struct source_driver *d, const char *name);

/** The same with this `tables.include`. */
void source_case_open_including(struct source_driver *d, const char *name, const char *include);

/** Closes the connector and removes what it made on the server. */
void source_case_close(struct source_driver *d);

/** For source_driver_until: it has given a row. */
bool source_case_has_row(const struct source_driver *d);

/** Waits until no session uses the slot: one that ended leaves it a little later. */
void source_case_wait_until_free(const char *slot);

/** Commits so that the transaction is in the WAL, and no snapshot sees it before source_case_show_commits: it
 * waits for a standby. May run the statements several times. */
void source_case_commit_unseen(PGconn *writer, const char *sql);

/** Lets transactions end again that wait for a synchronous standby. */
void source_case_show_commits(void);

#endif
