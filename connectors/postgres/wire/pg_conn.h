// One libpq connection on the loop: connects, runs queries one after another and COPY; never blocks.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_CONN_H
#define CONNECTORS_POSTGRES_WIRE_PG_CONN_H

#include <libpq-fe.h>
#include <uv.h>

#include "connectors/postgres/wire/pg_dsn.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

struct pg_conn;

/** SQLSTATEs as fault.origin_code of origin "postgresql": six bits for each character, as in PostgreSQL. */
#define PG_CONN_STATE(a, b, c, d, e)                                                                         \
    (((a) - '0') + (((b) - '0') << 6) + (((c) - '0') << 12) + (((d) - '0') << 18) + (((e) - '0') << 24))

enum {
    PG_CONN_OBJECT_IN_USE = PG_CONN_STATE('5', '5', '0', '0', '6'),
    PG_CONN_OBJECT_NOT_READY = PG_CONN_STATE('5', '5', '0', '0', '0'),
    PG_CONN_DUPLICATE_OBJECT = PG_CONN_STATE('4', '2', '7', '1', '0'),
    PG_CONN_UNDEFINED_OBJECT = PG_CONN_STATE('4', '2', '7', '0', '4'),
    PG_CONN_NO_PRIVILEGE = PG_CONN_STATE('4', '2', '5', '0', '1'),
    PG_CONN_CONFIGURATION_LIMIT = PG_CONN_STATE('5', '3', '4', '0', '0'),
    PG_CONN_LOCK_NOT_AVAILABLE = PG_CONN_STATE('5', '5', 'P', '0', '3'),
    PG_CONN_UNDEFINED_FILE = PG_CONN_STATE('5', '8', 'P', '0', '1'),
};

/** Whether the state is of the class, as '4', '2'. */
static inline bool pg_conn_is_class(int state, char a, char b)
{
    return (state & 0xfff) == PG_CONN_STATE(a, b, '0', '0', '0');
}

struct pg_conn_params {
    uv_loop_t *loop;
    const char *dsn;       // borrowed for the call
    const char *password;  // borrowed for the call; NULL
    bool is_replication;
    struct pg_dsn_address first;  // the server of the string to try first; text "": in the string's order
    bool is_only_first;           // try only `first`, if the string still has it
    void (*on_open)(void *self, const struct fault *f);  // once, from the loop; f is NULL when connected
    void (*on_lost)(void *self, const struct fault *f);  // once, only after on_open(NULL)
    // A warning of the server's, and its function that gave it; NULL: ignored. Called from inside other
    // calls. False: f ends the connection, later.
    bool (*on_warning)(void *self, const char *function, const char *text, struct fault *f);
    void *self;
};

/** Begins connecting, to one server after another; every failure is reported through on_open. */
struct pg_conn *pg_conn_open(const struct pg_conn_params *params);

/** No callback is called after it. Accepts NULL. */
void pg_conn_close(struct pg_conn *c);

/**
 * The results of one query string, one for each statement; borrowed for the call. The fault is that of the
 * first failed statement (origin "postgresql", origin_code the SQLSTATE); `count` may be smaller then. When
 * the last result is a COPY, later queries wait until pg_conn_end_copy.
 */
typedef void (*pg_conn_on_results)(void *self, PGresult *const *results, size_t count, const struct fault *f);

/** Runs the query after all earlier ones; on_results is called once unless the connection is lost or closed.
 */
void pg_conn_query(struct pg_conn *c, const char *sql, pg_conn_on_results on_results, void *self);

/** Whether the server answered all statements of a query, from the arguments of pg_conn_on_results. False:
 * `ret` is *f, or says how many are missing. */
bool pg_conn_answered(size_t count, size_t want, const struct fault *f, struct fault *ret);

/** During a COPY: on_ready is called whenever bytes may have arrived. */
void pg_conn_watch_copy(struct pg_conn *c, void (*on_ready)(void *self), void *self);

/** Reads one CopyData message: returns its size and *ret (free with PQfreemem); 0: none is complete yet; -1:
 * the COPY has ended; -2: fault. */
int pg_conn_read_copy(struct pg_conn *c, char **ret, struct fault *f);

/** As pg_conn_read_copy, without reading the socket. */
int pg_conn_next_copy(struct pg_conn *c, char **ret, struct fault *f);

/** Reads from the socket what fits libpq's buffer. FAULT_RETRY: the connection is lost. */
bool pg_conn_fill_copy(struct pg_conn *c, struct fault *f) MUST_USE;

/** Queues one CopyData message, which is written when the socket is writable. */
bool pg_conn_write_copy(struct pg_conn *c, struct slice message, struct fault *f) MUST_USE;

/** Sends CopyDone. */
void pg_conn_finish_copy(struct pg_conn *c);

/** After pg_conn_read_copy has returned -1: collects the COPY's results; then queries run again. */
void pg_conn_end_copy(struct pg_conn *c, pg_conn_on_results on_results, void *self);

/** Stop and resume reading the socket; writing continues. */
void pg_conn_pause(struct pg_conn *c);
void pg_conn_resume(struct pg_conn *c);

/** The address of the server; text "" for a socket folder, or when libpq has chosen it. */
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
