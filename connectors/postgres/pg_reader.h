// Reads a session: the stream, and beside it the rows that are there already, of all tables at the first
// start and of each table that appears later.
#ifndef CONNECTORS_POSTGRES_PG_READER_H
#define CONNECTORS_POSTGRES_PG_READER_H

#include "connectors/postgres/pg_frames.h"
#include "connectors/postgres/snapshot/pg_backfill.h"

// The states; whether the stream may flow in them. A record is saved once all that was given before it is on
// Kafka, which may take long: nothing stands still for it.
#define PG_READER_STATES(X)                                                                                  \
    X(STOPPED, false)                                                                                        \
    X(STREAMING, true)                                                                                       \
    X(SAVING_NEW, true)  /* the state record with the new tables */                                          \
    X(RECONCILING, true) /* the publication gets them */                                                     \
    X(BACKFILLING, true) /* pg_backfill says when it must stand still */                                     \
    X(SAVING_DONE, true) /* the state record without them */                                                 \
    X(ENDED, false)      /* the server ended the stream in order */

enum pg_reader_state {
#define X(name, flows) PG_READER_##name,
    PG_READER_STATES(X)
#undef X
};

// What the ordinary connection is asked beside the stream, one after another.
enum pg_reader_look { PG_READER_LOOK_NONE, PG_READER_LOOK_PROBE, PG_READER_LOOK_SCAN, PG_READER_LOOK_SLOT };

struct pg_reader {
    const struct pg_deps *deps;
    enum pg_reader_state state;
    struct pg_session session;
    struct pg_frames frames;
    struct pg_backfill *backfill;
    struct change held;  // a BEGIN that waits for the rows before it
    bool has_held;
    bool is_in_transaction;  // of the changes given
    bool is_paused;
    uint64_t position;  // up to here all was given
    enum pg_reader_look look;
    int64_t scanned_us;   // when the catalogue was last read
    int64_t retried_us;   // when rows that could not be read were last tried
    int64_t received_us;  // when the last transaction began
    uv_timer_t tick;      // once a second
    uv_timer_t refill;    // of the stream
    uv_timer_t retry;     // of the backfill
    uv_timer_t wake;      // on_ready on the next turn
};

void pg_reader_init(struct pg_reader *r, const struct pg_deps *deps);

/** Closes the timers: `on_closed` is called for each. */
int pg_reader_close_handles(struct pg_reader *r, uv_close_cb on_closed, void *self);
void pg_reader_clear(struct pg_reader *r);

/** Takes the session over: its stream has just been started. */
void pg_reader_start(struct pg_reader *r, struct pg_session *session);

/** Reports what is confirmed, and closes the session. */
void pg_reader_stop(struct pg_reader *r);

enum source_step pg_reader_next(struct pg_reader *r, struct change *ret, struct fault *f) MUST_USE;
void pg_reader_state_saved(struct pg_reader *r);
void pg_reader_pause(struct pg_reader *r, bool is_paused);

/** on_ready on the loop's next turn. */
void pg_reader_wake(struct pg_reader *r);

#endif
