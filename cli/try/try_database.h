// The database of `millrace try`: the shop's schema, and at the end everything of the run taken away again.
// Waits for the server: never on the loop.
#ifndef CLI_TRY_TRY_DATABASE_H
#define CLI_TRY_TRY_DATABASE_H

#include <libpq-fe.h>

#include "core/base/fault.h"

/** Connects, within ten seconds; FAULT_CONFIG with what to type when the server can't serve a connector. */
bool try_database_open(const char *dsn, PGconn **ret, struct fault *f) MUST_USE;

/** Runs statements that give no rows; several are one transaction. */
bool try_database_run(PGconn *conn, const char *sql, struct fault *f) MUST_USE;

/**
 * Drops the slot, the publications and the schema of this run; what is not there is no error.
 *
 * @param name  of slot and publications (those that begin with it)
 */
bool try_database_clean(const char *dsn, const char *name, const char *schema, struct fault *f) MUST_USE;

#endif
