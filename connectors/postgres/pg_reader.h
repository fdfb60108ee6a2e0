// Reads a session: the stream, and beside it existing rows: of all tables at the first start, and of each
// table that appears later.
#ifndef CONNECTORS_POSTGRES_PG_READER_H
#define CONNECTORS_POSTGRES_PG_READER_H

#include "connectors/postgres/pg_action.h"
#include "connectors/postgres/pg_frames.h"
#include "connectors/postgres/pg_outbox_sweep.h"
#include "connectors/postgres/pg_reader_state.h"
#include "connectors/postgres/pg_watch.h"
#include "connectors/postgres/snapshot/pg_backfill.h"

struct pg_reader {
    const struct pg_deps *deps;
    enum pg_reader_state state;
    struct pg_session session;
    struct source_state saved;   // the record on Kafka; session.known may say more
    struct source_state saving;  // the last one given to on_state
    struct pg_frames frames;
    struct pg_backfill *backfill;
    bool is_for_toast;   // `backfill` reads values for toast: complete only
    struct change held;  // a BEGIN before which rows are read
    bool has_held;
    bool is_in_transaction;  // between the BEGIN and COMMIT that were given
    bool is_paused;
    uint64_t position;   // all changes up to here were given
    uint64_t committed;  // the end of the last transaction that was given
    struct pg_watch watch;
    struct pg_action action;
    struct pg_outbox_sweep sweep;
    int64_t retried_us;    // when a backfill was started last
    int64_t retry_us;      // how long after that tables that could not be read are tried again
    int64_t locked_us;     // when it was logged last that a table is locked; 0: never
    int64_t received_us;   // when the last transaction began
    uv_timer_t tick;       // once a second
    uv_timer_t refill;     // for pg_stream
    uv_timer_t prepare;    // for pg_frames
    uv_timer_t ask_again;  // for pg_frames
    uv_timer_t retry;      // for pg_backfill
    uv_timer_t wake;       // calls on_ready in the next loop iteration
};

void pg_reader_init(struct pg_reader *r, const struct pg_deps *deps);

/** Closes the timers; `on_closed` is called for each. Returns their number. */
int pg_reader_close_handles(struct pg_reader *r, uv_close_cb on_closed, void *self);
void pg_reader_clear(struct pg_reader *r);

/** Takes over a session whose stream has just started. */
void pg_reader_start(struct pg_reader *r, struct pg_session *session);

/** Sends the confirmed position, and closes the session. */
void pg_reader_stop(struct pg_reader *r);

enum source_step pg_reader_next(struct pg_reader *r, struct change *ret, struct fault *f) MUST_USE;
void pg_reader_state_saved(struct pg_reader *r);
void pg_reader_pause(struct pg_reader *r, bool is_paused);

/** Calls on_ready in the next loop iteration. */
void pg_reader_wake(struct pg_reader *r);

#endif
