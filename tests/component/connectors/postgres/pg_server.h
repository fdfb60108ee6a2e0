// A temporary PostgreSQL for tests: its own folder, a free port, an unprivileged user; removed at the end.
#ifndef TESTS_COMPONENT_CONNECTORS_POSTGRES_PG_SERVER_H
#define TESTS_COMPONENT_CONNECTORS_POSTGRES_PG_SERVER_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <sys/types.h>

struct pg_server {
    char folder[64];
    int port;
    pid_t pid;
    PGconn *conn;  // as a superuser, for pg_server_sql
};

/** Creates and starts a server with wal_level=logical; ends the process when that fails. */
void pg_server_start(struct pg_server *s);

/** Asks the server to stop, as an operator does: it waits until its replicas have confirmed all WAL. */
void pg_server_shut_down(struct pg_server *s);

/** Stops the server, unless it was asked to, and restarts it with one more setting. */
void pg_server_restart(struct pg_server *s, const char *setting);
void pg_server_stop(struct pg_server *s);

/** Runs statements; a failure ends the process with the server's message. */
void pg_server_sql(struct pg_server *s, const char *sql);

/** The first field of the first row; borrowed until the next call. */
const char *pg_server_ask(struct pg_server *s, const char *sql);

/** "host=127.0.0.1 port=… dbname=postgres user=millrace" */
const char *pg_server_dsn(const struct pg_server *s);

#endif
