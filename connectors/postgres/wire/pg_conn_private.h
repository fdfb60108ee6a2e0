// Internals of the connection, shared by connecting (pg_conn.c) and queries (pg_conn_query.c).
#ifndef CONNECTORS_POSTGRES_WIRE_PG_CONN_PRIVATE_H
#define CONNECTORS_POSTGRES_WIRE_PG_CONN_PRIVATE_H

#include "connectors/postgres/wire/pg_conn.h"
#include "connectors/postgres/wire/pg_dsn.h"

enum { PG_CONN_RESULTS_MAX = 8 };

struct pg_conn_query {
    struct pg_conn_query *next;
    pg_conn_on_results on_results;
    void *self;
    char sql[];
};

enum pg_conn_state {
    PG_CONN_NEW,         // begins in the loop's next turn
    PG_CONN_RESOLVING,   // a look-up runs
    PG_CONN_CONNECTING,  // to one address after another
    PG_CONN_OPEN,
    PG_CONN_OVER,  // failed or closed: no more callbacks
};

enum pg_conn_work { PG_CONN_IDLE, PG_CONN_QUERYING, PG_CONN_COPYING };

struct pg_conn {
    int references;  // the owner, the timer, each poll handle, a running look-up, a callback on the stack
    uv_loop_t *loop;
    PGconn *pq;
    uv_poll_t *poll;
    int events;
    uv_timer_t timer;
    enum pg_conn_state state;
    bool is_paused;
    bool is_flushing;

    uv_getaddrinfo_t lookup;
    struct pg_dsn dsn;
    size_t host_at;
    struct pg_dsn_address *addresses;
    size_t address_count;
    size_t address_at;  // the one being tried, or connected
    struct pg_dsn_address preferred;
    bool is_only_preferred;
    struct fault tried_fault;  // of the addresses tried before; kind FAULT_NONE: none
    struct fault open_fault;
    struct fault lookup_fault;
    struct fault late_fault;

    enum pg_conn_work work;       // while open
    struct pg_conn_query *first;  // the running one, while querying
    struct pg_conn_query *last;
    PGresult *results[PG_CONN_RESULTS_MAX];
    size_t result_count;
    struct fault result_fault;  // kind FAULT_NONE: none
    void (*on_copy)(void *self);
    void *copy_self;

    void (*on_open)(void *self, const struct fault *f);
    void (*on_lost)(void *self, const struct fault *f);
    bool (*on_warning)(void *self, const char *function, const char *text, struct fault *f);
    void *self;
};

void pg_conn_fail(struct pg_conn *c, const struct fault *f);

/** As pg_conn_fail, but later from the loop: for use inside a call of the owner. */
void pg_conn_fail_later(struct pg_conn *c, const struct fault *f);

/** Calls pg_conn_collect in the loop's next turn. */
void pg_conn_later(struct pg_conn *c);
void pg_conn_collect(struct pg_conn *c);
void pg_conn_set_events(struct pg_conn *c);
void pg_conn_unref(struct pg_conn *c);
void pg_conn_timer_closed(uv_handle_t *handle);

/** Writes libpq's output buffer, the rest when the socket is writable. */
void pg_conn_send(struct pg_conn *c);

/** Bytes may have arrived: collects results, or calls the COPY's on_ready. */
void pg_conn_readable(struct pg_conn *c);
void pg_conn_drop_queries(struct pg_conn *c);

/** Why PQconnectPoll failed; FAULT_CONFIG when a retry can't help. */
void pg_conn_connect_fault(PGconn *pq, struct fault *f);
void pg_conn_on_notice(void *self, const PGresult *notice);

#endif
