// One libpq connection on the loop: connects, asks queries one after another, carries a COPY; never blocks.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_CONN_H
#define CONNECTORS_POSTGRES_WIRE_PG_CONN_H

#include <libpq-fe.h>
#include <uv.h>

#include "connectors/postgres/wire/pg_dsn.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

struct pg_conn;

/** SQLSTATEs as fault.origin_code of origin "postgresql", six bits a character as PostgreSQL packs them. */
#define PG_CONN_STATE(a, b, c, d, e)                                                                         \
    (((a) - '0') + (((b) - '0') << 6) + (((c) - '0') << 12) + (((d) - '0') << 18) + (((e) - '0') << 24))

enum {
    PG_CONN_OBJECT_IN_USE = PG_CONN_STATE('5', '5', '0', '0', '6'),
    PG_CONN_OBJECT_NOT_READY = PG_CONN_STATE('5', '5', '0', '0', '0'),
    PG_CONN_DUPLICATE_OBJECT = PG_CONN_STATE('4', '2', '7', '1', '0'),
    PG_CONN_UNDEFINED_OBJECT = PG_CONN_STATE('4', '2', '7', '0', '4'),
    PG_CONN_NO_PRIVILEGE = PG_CONN_STATE('4', '2', '5', '0', '1'),
    PG_CONN_CONFIGURATION_LIMIT = PG_CONN_STATE('5', '3', '4', '0', '0'),
    PG_CONN_UNDEFINED_FILE = PG_CONN_STATE('5', '8', 'P', '0', '1'),
};

struct pg_conn_params {
    uv_loop_t *loop;
    const char *dsn;       // borrowed for the call
    const char *password;  // borrowed for the call; NULL
    bool is_replication;
    struct pg_dsn_address
        first;           // of those the string names, the one to try first; text "": as they are listed
    bool is_only_first;  // and no other, if it is still named
    void (*on_open)(void *self, const struct fault *f);  // once, later: f NULL when connected
    void (*on_lost)(void *self, const struct fault *f);  // once, only after on_open(NULL)
    void *self;
};

/** Begins connecting, to one server after another; everything that goes wrong comes through on_open. */
struct pg_conn *pg_conn_open(const struct pg_conn_params *params);

/** No callback comes after it. Accepts NULL. */
void pg_conn_close(struct pg_conn *c);

/**
 * The results of one query string, one a statement. The fault is the first statement's that failed (origin
 * "postgresql", origin_code the SQLSTATE); then `count` may be smaller than asked. Borrowed for the call.
 * When the last result is a COPY, the connection belongs to it until pg_conn_end_copy.
 */
typedef void (*pg_conn_on_results)(void *self, PGresult *const *results, size_t count, const struct fault *f);

/** Asks after all earlier queries; on_results comes once unless the connection is lost or closed before. */
void pg_conn_query(struct pg_conn *c, const char *sql, pg_conn_on_results on_results, void *self);

/** During a COPY: on_ready is called whenever bytes may have come. */
void pg_conn_watch_copy(struct pg_conn *c, void (*on_ready)(void *self), void *self);

/** One CopyData message: its size and *ret (free with PQfreemem); 0: nothing now; -1: the COPY ended; -2:
 * fault. */
int pg_conn_read_copy(struct pg_conn *c, char **ret, struct fault *f);

/** The same of what has been read already: does not touch the socket. */
int pg_conn_next_copy(struct pg_conn *c, char **ret, struct fault *f);

/** Reads what the socket holds, as far as libpq's buffer takes it. FAULT_RETRY: the connection is gone. */
bool pg_conn_fill_copy(struct pg_conn *c, struct fault *f) MUST_USE;

/** Sends one CopyData message; it is written as the socket takes it. */
bool pg_conn_write_copy(struct pg_conn *c, struct slice message, struct fault *f) MUST_USE;

/** Sends CopyDone. */
void pg_conn_finish_copy(struct pg_conn *c);

/** After pg_conn_read_copy gave -1: collects what the server says of the whole, then the connection asks
 * again. */
void pg_conn_end_copy(struct pg_conn *c, pg_conn_on_results on_results, void *self);

/** Stops and goes on reading the socket; writing goes on. */
void pg_conn_pause(struct pg_conn *c);
void pg_conn_resume(struct pg_conn *c);

/** Where it is connected to; text "" for a socket folder, or when libpq chose. */
struct pg_dsn_address pg_conn_address(const struct pg_conn *c);
int pg_conn_socket(const struct pg_conn *c);
bool pg_conn_is_tcp(const struct pg_conn *c);
int pg_conn_server_version(const struct pg_conn *c);
const char *pg_conn_database(const struct pg_conn *c);
const char *pg_conn_user(const struct pg_conn *c);

/** Appends an SQL identifier or literal with its quotes. */
void pg_conn_quote_name(struct bytes *out, const char *name);
void pg_conn_quote_text(struct bytes *out, const char *text);

#endif
