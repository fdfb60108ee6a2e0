// Rows that are there already, read beside a running stream: of all published tables at the first start, of
// single ones when they are added later. The stream goes on until it meets the first transaction that the
// snapshot does not see; then the rows are read, then the stream goes on from there. So what a row looked
// like in the snapshot never follows a later change of it, and nothing of the stream is left out.
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_BACKFILL_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_BACKFILL_H

#include <uv.h>

#include "connectors/postgres/snapshot/pg_snapshot.h"

struct pg_backfill;

struct pg_backfill_params {
    struct pg_snapshot_params
        snapshot;       // `position` is set by pg_backfill_read; on_ready and on_fault serve all
    bool has_snapshot;  // the connection is in its transaction, and the stream begins right after it
    uv_timer_t *timer;  // lent
    void (*on_hold)(void *self);  // pg_backfill_holds or pg_backfill_is_catching_up may have changed
};

/** Begins waiting for the transactions that run now. With has_snapshot pg_backfill_read may follow at once.
 */
struct pg_backfill *pg_backfill_start(const struct pg_backfill_params *params);

/** The connection is free again (or about to be closed). Accepts NULL. */
void pg_backfill_free(struct pg_backfill *b);

/** The stream must stand still: a snapshot is being taken, or rows are read. */
bool pg_backfill_holds(const struct pg_backfill *b);

/** The snapshot is taken; the stream goes on up to it: its keepalives are waited for. */
bool pg_backfill_is_catching_up(const struct pg_backfill *b);

/** The stream is about to begin that transaction. True: the rows come first (pg_backfill_read). */
bool pg_backfill_comes_before(struct pg_backfill *b, uint32_t transaction_id) MUST_USE;

/** All the stream's transactions up to the position have been given. True: the rows come now. */
bool pg_backfill_is_due(const struct pg_backfill *b, uint64_t position) MUST_USE;

/** Begins reading the rows. @param position  up to here the stream has been given */
void pg_backfill_read(struct pg_backfill *b, uint64_t position);

/** One step; PG_SNAPSHOT_NOTHING until pg_backfill_read. */
enum pg_snapshot_step pg_backfill_next(struct pg_backfill *b, struct change *ret, struct fault *f) MUST_USE;

/** Stops and goes on reading rows. */
void pg_backfill_pause(struct pg_backfill *b, bool is_paused);

/** After PG_SNAPSHOT_END: the tables whose rows may not be read by our role; borrowed. */
const uint32_t *pg_backfill_skipped(const struct pg_backfill *b, size_t *ret_count);

#endif
