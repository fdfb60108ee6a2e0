// Parses a libpq connection string, adds our session settings, and lists its servers.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_DSN_H
#define CONNECTORS_POSTGRES_WIRE_PG_DSN_H

#include "core/base/fault.h"
#include "core/base/text.h"

/** One server to try. */
struct pg_dsn_host {
    char *name;     // host name, numeric address or socket folder
    char *address;  // numeric, from hostaddr; "": resolve the name
    char *port;     // "" for the default
};

/** One address of hosts[host]; `text` is numeric, or empty for a socket folder. */
struct pg_dsn_address {
    size_t host;
    char text[64];
};

struct pg_dsn {
    struct text_pairs
        options;  // for PQconnectStartParams; without host, hostaddr and port if `hosts` is not empty
    struct pg_dsn_host *hosts;
    size_t host_count;
    int64_t connect_timeout_us;
};

/**
 * Parses a connection string or URI and adds the settings that the connector needs: UTF-8, ISO dates in UTC,
 * exact floats, hex bytea, quick detection of dead peers on both sides, row_security=off.
 *
 * @param password  overrides the one in the string; NULL: none
 * @param f         FAULT_CONFIG; does not contain the password
 */
bool pg_dsn_parse(const char *dsn, const char *password, bool is_replication, struct pg_dsn *ret,
                  struct fault *f) MUST_USE;
void pg_dsn_clear(struct pg_dsn *d);

/** Whether the host is a name that must be resolved (not a socket folder or a numeric address). */
bool pg_dsn_needs_lookup(const struct pg_dsn_host *h);

/** The options with host, hostaddr and port of one address; `address` NULL: the options unchanged. */
void pg_dsn_resolve(const struct pg_dsn *d, const struct pg_dsn_address *address, struct text_pairs *ret);

#endif
