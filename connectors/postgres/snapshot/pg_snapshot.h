// Reads published tables by COPY, within an open REPEATABLE READ transaction. Each table is given as a
// transaction of its own.
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_H

#include "connectors/postgres/pg_change.h"
#include "connectors/postgres/wire/pg_conn.h"

struct pg_snapshot;

enum pg_snapshot_step {
    PG_SNAPSHOT_CHANGE,
    PG_SNAPSHOT_NOTHING,  // on_ready follows
    PG_SNAPSHOT_YIELD,    // many rows were kept: call again in the next loop iteration
    PG_SNAPSHOT_END,      // every row and the last COMMIT were given
    PG_SNAPSHOT_FAULT,
};

struct pg_snapshot_params {
    struct pg_conn *conn;  // lent: an ordinary connection in the transaction; not used for anything else
                           // until PG_SNAPSHOT_END
    struct pg_relations *relations;
    struct pg_change *changes;
    const char *component;
    const char *publication_names;  // '"a"','"b"' as SQL literals joined by commas; borrowed for the call
    const uint32_t *only;           // these tables and their partitions; borrowed for the call
    size_t only_count;              // 0: all published tables
    // Needs `only`, or is_for_toast. A table that the role may not read is skipped, else it is a
    // FAULT_CONFIG. So is one that is locked, else the snapshot waits for the lock.
    bool can_skip;
    size_t skipped_max;
    bool is_for_toast;      // gives no changes: the rows' large values are kept (pg_toast)
    bool is_lock_known;     // that a table is locked was logged lately
    const char *unsent_by;  // see struct pg_catalogue_scope; borrowed
    uint64_t position;      // of each COMMIT: the stream was given up to here
    void (*on_version)(void *self, struct table *table);  // rows of this version of a table will come
    void (*on_ready)(void *self);
    void (*on_fault)(void *self, const struct fault *f);
    void *self;
};

/** Starts to read. */
struct pg_snapshot *pg_snapshot_start(const struct pg_snapshot_params *params);

/** One step. At PG_SNAPSHOT_END the transaction has been committed. */
enum pg_snapshot_step pg_snapshot_next(struct pg_snapshot *s, struct change *ret, struct fault *f) MUST_USE;

/** The tables that were skipped, or all of `only` if they are more than skipped_max; borrowed. Those that
 * were rewritten since the snapshot was taken are skipped also without can_skip. */
const uint32_t *pg_snapshot_skipped(const struct pg_snapshot *s, size_t *ret_count);

/** Whether one of them was locked or rewritten: it can be read soon. */
bool pg_snapshot_was_locked(const struct pg_snapshot *s);

/** Call it after PG_SNAPSHOT_END, or before the connection is closed. Accepts NULL. */
void pg_snapshot_free(struct pg_snapshot *s);

#endif
