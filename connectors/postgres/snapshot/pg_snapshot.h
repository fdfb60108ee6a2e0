// Published tables by COPY, within a REPEATABLE READ transaction that is open already; each is given as a
// transaction of its own.
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_H

#include "connectors/postgres/pg_change.h"
#include "connectors/postgres/wire/pg_conn.h"

struct pg_snapshot;

enum pg_snapshot_step {
    PG_SNAPSHOT_CHANGE,
    PG_SNAPSHOT_NOTHING,  // on_ready follows
    PG_SNAPSHOT_END,      // every row was given and the last table's COMMIT too
    PG_SNAPSHOT_FAULT,
};

struct pg_snapshot_params {
    struct pg_conn *conn;  // ordinary, lent, in the transaction: used by nobody else until PG_SNAPSHOT_END
    struct pg_relations *relations;
    struct pg_change *changes;
    const char *component;
    const char *publication_names;  // '"a"','"b"' as SQL literals joined by commas; borrowed for the call
    const uint32_t *only;           // these tables and their partitions; borrowed for the call
    size_t only_count;              // 0: all that are published
    bool can_skip;                  // a table that our role may not read is left out, else FAULT_CONFIG
    uint64_t position;              // of every COMMIT: up to here the stream has been read
    void (*on_ready)(void *self);
    void (*on_fault)(void *self, const struct fault *f);
    void *self;
};

/** Begins reading. */
struct pg_snapshot *pg_snapshot_start(const struct pg_snapshot_params *params);

/** One step. The transaction is over with PG_SNAPSHOT_END. */
enum pg_snapshot_step pg_snapshot_next(struct pg_snapshot *s, struct change *ret, struct fault *f) MUST_USE;

/** The tables that were left out; borrowed. */
const uint32_t *pg_snapshot_skipped(const struct pg_snapshot *s, size_t *ret_count);

/** The connection is free again (or about to be closed). Accepts NULL. */
void pg_snapshot_free(struct pg_snapshot *s);

#endif
