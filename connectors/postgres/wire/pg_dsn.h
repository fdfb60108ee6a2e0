// A libpq connection string with our session settings laid over it, its host names ready to be resolved.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_DSN_H
#define CONNECTORS_POSTGRES_WIRE_PG_DSN_H

#include "core/base/fault.h"
#include "core/base/text.h"

/** One server to try. */
struct pg_dsn_host {
    char *name;     // host name, numeric address or socket folder
    char *address;  // numeric, from hostaddr; "" when the name has to say it
    char *port;     // "" for the default
};

/** One address of hosts[host]; `text` is numeric, or empty for a socket folder. */
struct pg_dsn_address {
    size_t host;
    char text[64];
};

struct pg_dsn {
    struct text_pairs
        options;  // for PQconnectStartParams; without host, hostaddr and port when `hosts` has any
    struct pg_dsn_host *hosts;
    size_t host_count;
    int64_t connect_timeout_us;
};

/**
 * Parses a connection string or URI and adds what the connector relies on: UTF-8, ISO dates in UTC, exact
 * floats, hex bytea, quick detection of dead peers on both sides, all of a table's rows or none.
 *
 * @param password  wins over the one in the string; NULL for none
 * @param f         FAULT_CONFIG; never shows the password
 */
bool pg_dsn_parse(const char *dsn, const char *password, bool is_replication, struct pg_dsn *ret,
                  struct fault *f) MUST_USE;
void pg_dsn_clear(struct pg_dsn *d);

/** Whether the host is a name that has to be looked up (not a socket folder, not a numeric address). */
bool pg_dsn_needs_lookup(const struct pg_dsn_host *h);

/** The options with host, hostaddr and port of one address; NULL: as they are. */
void pg_dsn_resolve(const struct pg_dsn *d, const struct pg_dsn_address *address, struct text_pairs *ret);

#endif
