// A session, which pg_open hands to pg_reader: two connections to one server with the locks against other
// copies, and a stream that was started on one of them.
#ifndef CONNECTORS_POSTGRES_PG_SESSION_H
#define CONNECTORS_POSTGRES_PG_SESSION_H

#include "connectors/postgres/catalogue/pg_publication.h"
#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/pg_slot.h"
#include "connectors/postgres/pg_toast.h"
#include "connectors/source.h"

/** What the source lends to pg_open and pg_reader. */
struct pg_deps {
    const struct connector_config *config;
    uv_loop_t *loop;
    const struct source_listener *listener;
    const char *component;
    struct pg_publication *publication;
    struct pg_relations *relations;
    struct pg_toast *toast;                                   // NULL: not toast: complete
    void (*on_fault)(void *self, const struct fault *f);      // a fault of pg_open or pg_reader; at most one
    void (*on_restart)(void *self, const struct fault *why);  // instead of it, without an error
    void *self;
};

/** The publication that tells when a table's changes were not sent; NULL: nobody asks. See pg_unsent.h. */
static inline const char *pg_deps_unsent_by(const struct pg_deps *d)
{
    return d->config->toast == TOAST_MODE_COMPLETE ? d->config->slot.publication : NULL;
}

struct pg_session {
    struct pg_conn *sql;          // catalogue, publications, snapshots
    struct pg_conn *replication;  // slot commands, then the stream
    char *database;
    char system_identifier[32];
    uint32_t timeline;
    struct source_state known;  // the state record, as last read or saved
    struct pg_slot slot;
    uint64_t position;  // where the stream starts
    bool is_binary;     // the stream has values in binary form
    bool lacks_toast;   // toast: complete has to read the rows that are there
    bool has_snapshot;  // `sql` is in a transaction that sees exactly what was committed before `position`
};

/** Closes both connections. A zero-initialised session is closed. */
void pg_session_close(struct pg_session *s);

/** True when a query has returned at least `want` results; else on_fault was called. */
bool pg_deps_answered(const struct pg_deps *d, size_t count, size_t want, const struct fault *f,
                      const char *what) MUST_USE;

#endif
