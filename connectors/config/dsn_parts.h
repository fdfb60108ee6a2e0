// The parts of a libpq connection string.
#ifndef CONNECTORS_CONFIG_DSN_PARTS_H
#define CONNECTORS_CONFIG_DSN_PARTS_H

#include <libpq-fe.h>
#include <stdbool.h>

/** The part's value; NULL: it is not given. `parts` NULL: none is. */
const char *dsn_parts_get(const PQconninfoOption *parts, const char *keyword);

/** Whether the part must not be shown, as libpq says: password and sslpassword. */
bool dsn_parts_is_secret(const PQconninfoOption *part);

/** For CLEANUP. */
void dsn_parts_free(PQconninfoOption **parts);

#endif
