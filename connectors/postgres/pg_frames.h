// Turns the frames of a running stream into changes.
#ifndef CONNECTORS_POSTGRES_PG_FRAMES_H
#define CONNECTORS_POSTGRES_PG_FRAMES_H

#include "connectors/postgres/pg_change.h"
#include "connectors/postgres/pg_describer.h"
#include "connectors/postgres/pg_logical.h"
#include "connectors/postgres/pg_session.h"
#include "connectors/postgres/pg_trace.h"
#include "connectors/postgres/wire/pg_stream.h"

enum pg_frames_step {
    PG_FRAMES_CHANGE,
    PG_FRAMES_NOTHING,  // on_ready follows
    PG_FRAMES_YIELD,    // many frames were skipped: call again in the next loop iteration
    PG_FRAMES_END,      // the server ended the stream; pg_conn_end_copy returns the reason
    PG_FRAMES_FAULT,
};

/** One message may be several changes. */
enum pg_frames_pending {
    PG_FRAMES_PENDING_NONE,
    PG_FRAMES_PENDING_SECOND,    // the create of a key change
    PG_FRAMES_PENDING_TRUNCATE,  // more relations of a TRUNCATE
    PG_FRAMES_PENDING_MESSAGE,   // of a message outside of transactions: itself
    PG_FRAMES_PENDING_COMMIT,    // and the end of what stands for its transaction
};

struct pg_frames {
    const struct pg_deps *deps;
    struct pg_session *session;  // lent
    struct pg_stream stream;
    struct pg_change changes;
    struct pgoutput_message *message;
    struct pg_describer describer;
    bool is_held;            // by pg_frames_hold
    bool is_in_transaction;  // between the frames of Begin and Commit
    bool is_caught_up;
    bool has_new_relation;  // a Relation message came since the owner cleared this
    bool has_logged_truncate;
    bool needs_text;                 // a row came that is read in text form only; kept by later sessions
    int64_t text_due_us;             // when that row came
    enum pg_frames_pending pending;  // what is given before the next frame is taken
    struct change queued;            // of `pending`, without what differs
    uint32_t truncated;              // PENDING_TRUNCATE: the next relation
    struct pg_logical logical;
    uint64_t index;       // of the next change in its transaction
    int skipped;          // frames skipped in this loop iteration
    struct bytes origin;  // the transaction's, NUL-terminated; size 0: it is local
    uint64_t origin_lsn;
    uint64_t last_commit_lsn;
    struct pg_trace trace;  // of the transaction
    bool is_row_kept;       // `message` is a row that waits until its types are read again
    uint64_t kept_lsn;
};

void pg_frames_init(struct pg_frames *fr, const struct pg_deps *deps);
void pg_frames_clear(struct pg_frames *fr);

/** Timers, lent until pg_frames_stop. */
struct pg_frames_timers {
    uv_timer_t *refill;
    uv_timer_t *prepare;
    uv_timer_t *ask_again;
};

/** Starts reading a replication connection that has just entered COPY BOTH. */
void pg_frames_start(struct pg_frames *fr, struct pg_session *session, const struct pg_frames_timers *timers);

/** Sends the confirmed position to the server; uses the connections no more. */
void pg_frames_stop(struct pg_frames *fr);

/** One step; never blocks. */
enum pg_frames_step pg_frames_next(struct pg_frames *fr, struct change *ret, struct fault *f) MUST_USE;

/** Call it once a second: frees what is not needed any more. */
void pg_frames_tick(struct pg_frames *fr);

/** Whether the stream is binary, and has reached a row that is read in text form only: nothing more is given.
 */
static inline bool pg_frames_is_text_due(const struct pg_frames *fr)
{
    return fr->needs_text && fr->session->is_binary;
}

/** Pauses or resumes reading; status updates continue. */
void pg_frames_hold(struct pg_frames *fr, bool is_held);

#endif
