// Opens the two connections of a session, both to the same server, and identifies that server.
#ifndef CONNECTORS_POSTGRES_PG_CONNECT_H
#define CONNECTORS_POSTGRES_PG_CONNECT_H

#include "connectors/postgres/pg_session.h"

/** Plain data, embedded; it must live as long as the connections. */
struct pg_connect {
    const struct pg_deps *deps;
    struct pg_session *session;        // lent: gets connections, database, system identifier and timeline
    struct pg_dsn_address first;       // the server that is tried first; zero: as the DSN says
    void (*on_connected)(void *self);  // once, unless on_fault of the deps is called
    void *self;
};

/** Starts to connect. on_fault of the deps is also called when a connection is lost later. */
void pg_connect_start(struct pg_connect *c);

#endif
