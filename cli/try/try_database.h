// The database of `millrace try`: checks the server, creates the shop's schema, and removes everything at the
// end. Blocks: not for use on the loop.
#ifndef CLI_TRY_TRY_DATABASE_H
#define CLI_TRY_TRY_DATABASE_H

#include <libpq-fe.h>

#include "core/base/fault.h"

/** Connects, within ten seconds. FAULT_CONFIG, with the required command, when a connector could not use the
 * server. */
bool try_database_open(const char *dsn, PGconn **ret, struct fault *f) MUST_USE;

/** Runs statements that return no rows, as one transaction. */
bool try_database_run(PGconn *conn, const char *sql, struct fault *f) MUST_USE;

/**
 * Drops the slot, the publications and the schema of this run; missing ones are no error.
 *
 * @param name  name of the slot; the publications' names begin with it
 */
bool try_database_clean(const char *dsn, const char *name, const char *schema, struct fault *f) MUST_USE;

#endif
