// The frames of a running stream into changes; relations are described by the catalogue on the way.
#ifndef CONNECTORS_POSTGRES_PG_FRAMES_H
#define CONNECTORS_POSTGRES_PG_FRAMES_H

#include "connectors/postgres/catalogue/pg_catalogue_set.h"
#include "connectors/postgres/pg_change.h"
#include "connectors/postgres/pg_session.h"
#include "connectors/postgres/wire/pg_stream.h"

enum pg_frames_step {
    PG_FRAMES_CHANGE,
    PG_FRAMES_NOTHING,  // on_ready follows
    PG_FRAMES_YIELD,    // many frames were passed over: call again on the loop's next turn
    PG_FRAMES_END,      // the server ended the stream; why comes from pg_conn_end_copy
    PG_FRAMES_FAULT,
};

struct pg_frames {
    const struct pg_deps *deps;
    struct pg_session *session;  // lent
    struct pg_stream stream;
    struct pg_change changes;
    struct pgoutput_message *message;
    struct pg_relation *described;  // waits for the catalogue's answer; NULL: none
    struct pg_catalogue_set catalogue;
    bool is_loading;         // `catalogue` is being read
    bool is_held;            // by the owner: nothing is read
    bool is_in_transaction;  // of the frames
    bool is_caught_up;
    bool has_new_relation;  // a Relation message came since the owner took notice
    bool has_logged_truncate;
    uint64_t index;       // of the next row in its transaction
    int skipped;          // frames passed over since the last turn of the loop
    struct bytes origin;  // of the transaction, with its NUL; size 0: it was made here
    uint64_t origin_lsn;
    uint64_t last_commit_lsn;
};

void pg_frames_init(struct pg_frames *fr, const struct pg_deps *deps);
void pg_frames_clear(struct pg_frames *fr);

/** The session's replication connection has just gone into COPY BOTH. @param refill  lent */
void pg_frames_start(struct pg_frames *fr, struct pg_session *session, uv_timer_t *refill);

/** Reports what is confirmed to the server and lets go of the connections. */
void pg_frames_stop(struct pg_frames *fr);

/** One step; never blocks. */
enum pg_frames_step pg_frames_next(struct pg_frames *fr, struct change *ret, struct fault *f) MUST_USE;

/** Stops and goes on reading; status updates go on. */
void pg_frames_hold(struct pg_frames *fr, bool is_held);

#endif
