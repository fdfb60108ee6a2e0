// Reads existing rows beside a running stream: of all published tables at the first start, of single tables
// when they are added later. The stream goes on up to the first transaction that the snapshot does not see;
// there the rows are read; then the stream continues. So a row as in the snapshot never follows a later
// change of it, and no change is left out.
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_BACKFILL_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_BACKFILL_H

#include <uv.h>

#include "connectors/postgres/snapshot/pg_snapshot.h"

struct pg_backfill;

struct pg_backfill_params {
    struct pg_snapshot_params
        snapshot;       // pg_backfill_read sets `position`; on_ready and on_fault also serve the backfill
    bool has_snapshot;  // the connection is in the transaction of a snapshot right before the stream
    uv_timer_t *timer;  // lent
    void (*on_hold)(void *self);  // pg_backfill_holds or pg_backfill_is_catching_up may have changed
};

/** Starts to wait for the transactions that run now. With has_snapshot pg_backfill_read may follow at once.
 */
struct pg_backfill *pg_backfill_start(const struct pg_backfill_params *params);

/** Call it when the backfill has ended, or before the connection is closed. Accepts NULL. */
void pg_backfill_free(struct pg_backfill *b);

/** Whether the stream must wait: a snapshot is being taken, or rows are read. */
bool pg_backfill_holds(const struct pg_backfill *b);

/** Whether the stream is read up to the snapshot; on an idle server a keepalive says that it is there. */
bool pg_backfill_is_catching_up(const struct pg_backfill *b);

/** Call it before a transaction of the stream is given. True: the rows come before it (pg_backfill_read). */
bool pg_backfill_comes_before(struct pg_backfill *b, uint32_t transaction_id) MUST_USE;

/** Call it when all transactions up to the position were given. True: the rows come now (pg_backfill_read).
 */
bool pg_backfill_is_due(const struct pg_backfill *b, uint64_t position) MUST_USE;

/** Starts to read the rows. @param position  the stream was given up to here */
void pg_backfill_read(struct pg_backfill *b, uint64_t position);

/** One step; PG_SNAPSHOT_NOTHING until pg_backfill_read. */
enum pg_snapshot_step pg_backfill_next(struct pg_backfill *b, struct change *ret, struct fault *f) MUST_USE;

/** Pauses or resumes reading rows. */
void pg_backfill_pause(struct pg_backfill *b, bool is_paused);

/** After PG_SNAPSHOT_END: the tables that the connector's role may not read, or that are locked; borrowed. */
const uint32_t *pg_backfill_skipped(const struct pg_backfill *b, size_t *ret_count);

/** Whether one of them is locked. */
bool pg_backfill_was_locked(const struct pg_backfill *b);

#endif
