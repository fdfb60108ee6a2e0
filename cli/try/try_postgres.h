// A temporary PostgreSQL from the installed binaries, on 127.0.0.1, in a folder that is removed at the end.
#ifndef CLI_TRY_TRY_POSTGRES_H
#define CLI_TRY_TRY_POSTGRES_H

#include <stdio.h>

#include "core/base/fault.h"

struct try_postgres;

/**
 * Finds the newest server version, creates and starts a database cluster as an unprivileged user, and waits
 * until it accepts connections. Call with signals blocked (try_process_block_signals) and before starting
 * threads.
 *
 * @param is_kept  the server keeps running when this process ends
 */
bool try_postgres_start(bool is_kept, struct try_postgres **ret, struct fault *f) MUST_USE;

/** A libpq connection string with its password; borrowed. */
const char *try_postgres_dsn(const struct try_postgres *p);

/** "15.20" */
const char *try_postgres_version(const struct try_postgres *p);

/** Stops the server and removes its folder. Accepts NULL and a partly started server. */
void try_postgres_stop(struct try_postgres *p);

/** Leaves the server running, prints how to connect to and remove it, and frees `p`. */
void try_postgres_leave(struct try_postgres *p, FILE *out);

#endif
