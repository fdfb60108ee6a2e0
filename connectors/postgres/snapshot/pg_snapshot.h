// The first snapshot: every published table by COPY, as of the slot's exported snapshot, each a transaction
// of its own.
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
    struct pg_conn *conn;  // ordinary, lent: used by nobody else until PG_SNAPSHOT_END
    struct pg_relations *relations;
    struct pg_change *changes;
    const char *component;
    const char *publication_names;  // '"a"','"b"' as SQL literals joined by commas; borrowed for the call
    const char *snapshot_name;      // of CREATE_REPLICATION_SLOT; borrowed for the call
    uint64_t consistent_lsn;
    void (*on_ready)(void *self);
    void (*on_fault)(void *self, const struct fault *f);
    void *self;
};

/** Begins reading; the snapshot must still be exported until the first on_ready. */
struct pg_snapshot *pg_snapshot_start(const struct pg_snapshot_params *params);

/** One step. Positions grow table by table and reach the consistent point with the last COMMIT. */
enum pg_snapshot_step pg_snapshot_next(struct pg_snapshot *s, struct change *ret, struct fault *f) MUST_USE;

/** The connection is free again (or about to be closed). Accepts NULL. */
void pg_snapshot_free(struct pg_snapshot *s);

#endif
