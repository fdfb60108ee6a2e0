// A throwaway PostgreSQL of the system's own binaries, on 127.0.0.1, in a folder that goes away with it.
#ifndef CLI_TRY_TRY_POSTGRES_H
#define CLI_TRY_TRY_POSTGRES_H

#include <stdio.h>

#include "core/base/fault.h"

struct try_postgres;

/**
 * Finds the newest server, makes a database cluster as an unprivileged user and waits until it answers.
 * Call with signals blocked (try_process_block_signals) and before there are threads.
 *
 * @param is_kept  the server goes on when we end
 */
bool try_postgres_start(bool is_kept, struct try_postgres **ret, struct fault *f) MUST_USE;

/** A libpq connection string with its password; borrowed. */
const char *try_postgres_dsn(const struct try_postgres *p);

/** "15.20" */
const char *try_postgres_version(const struct try_postgres *p);

/** Ends the server and removes its folder. Accepts NULL and half-started. */
void try_postgres_stop(struct try_postgres *p);

/** Leaves the server running: says how to connect and how to remove it, frees our side. */
void try_postgres_leave(struct try_postgres *p, FILE *out);

#endif
