// The source's insides, shared by opening (pg_source_open.c) and streaming (pg_source.c).
#ifndef CONNECTORS_POSTGRES_PG_SOURCE_PRIVATE_H
#define CONNECTORS_POSTGRES_PG_SOURCE_PRIVATE_H

#include "connectors/postgres/catalogue/pg_catalogue_set.h"
#include "connectors/postgres/catalogue/pg_tables.h"
#include "connectors/postgres/pg_change.h"
#include "connectors/postgres/pg_slot.h"
#include "connectors/postgres/snapshot/pg_snapshot.h"
#include "connectors/postgres/wire/pg_conn.h"
#include "connectors/postgres/wire/pg_stream.h"
#include "connectors/source.h"

// In the order they are gone through; the right column is the phase that the listener hears of.
#define PG_SOURCE_STATES(X)                                                                                  \
    X(CLOSED, NULL)                                                                                          \
    X(CONNECTING, "connecting") /* the ordinary connection, then the replication one */                      \
    X(LOCKING, NULL)            /* out other copies of this connector */                                     \
    X(RECALLING, NULL)          /* the state record */                                                       \
    X(CHECKING, NULL)           /* server, slot, state record */                                             \
    X(SAVING_BEGIN, NULL)       /* the record that says a slot is about to be made */                        \
    X(PUBLISHING, NULL)         /* publications before the slot */                                           \
    X(DROPPING_SLOT, NULL)      /* of a first snapshot that did not end */                                   \
    X(MAKING_SLOT, "connecting")                                                                             \
    X(SNAPSHOTTING, "snapshotting")                                                                          \
    X(SAVING_END, NULL) /* the record that says the snapshot is whole */                                     \
    X(STARTING, NULL)   /* START_REPLICATION */                                                              \
    X(WAITING_FOR_SLOT, "waiting_for_slot")                                                                  \
    X(STREAMING, "streaming")                                                                                \
    X(ENDED, NULL) /* the server ended the stream in order */                                                \
    X(FAILED, NULL)

enum pg_source_state {
#define X(name, phase) PG_SOURCE_##name,
    PG_SOURCE_STATES(X)
#undef X
};

struct source {
    const struct connector_config *config;
    uv_loop_t *loop;
    struct source_listener listener;
    char *component;
    enum pg_source_state state;

    struct pg_conn *sql;            // catalogue, publications, snapshot
    struct pg_conn *replication;    // slot commands, then the stream
    struct pg_dsn_address address;  // of the server that was good the last time: tried first
    char *database;
    char system_identifier[32];
    uint32_t timeline;
    struct source_state known;
    struct pg_slot slot;
    enum pg_slot_plan plan;
    uint64_t consistent_lsn;
    char snapshot_name[64];

    struct pg_tables *tables;
    struct pg_relations *relations;
    struct pg_change changes;
    struct pg_snapshot *snapshot;
    struct pg_stream stream;
    struct pgoutput_message *message;
    struct pg_relation *described;  // waits for the catalogue's answer; NULL: none
    struct pg_catalogue_set catalogue;
    bool is_loading;  // `catalogue` is being read

    bool has_told_open;
    bool has_slot_lock;  // `replication` has it
    bool is_locked;      // and `sql` has its own: no other copy is at work
    bool is_paused;
    bool is_in_transaction;
    bool is_caught_up;
    bool is_scanning;
    uint32_t index;  // of the next row in its transaction
    uint64_t last_commit_lsn;
    int64_t scanned_us;
    bool is_scan_due;
    bool has_truncate_logged;

    uv_timer_t tick;    // once a second
    uv_timer_t refill;  // of the stream
    uv_timer_t retry;   // waiting for the slot
    uv_timer_t wake;    // on_ready on the next turn
    int handles_open;
};

/** The only place that sets the state. */
void pg_source_enter(struct source *s, enum pg_source_state to, const char *why);

/** Tells the listener once and stops everything until close; never from inside next(). */
void pg_source_fail(struct source *s, const struct fault *f);

/** on_ready on the loop's next turn. */
void pg_source_wake(struct source *s);

/** The answer to a query, or the end of this opening. */
bool pg_source_answered(struct source *s, size_t count, size_t want, const struct fault *f,
                        const char *what) MUST_USE;

// The opening, step by step: pg_source_open.c, pg_source_lock.c, pg_source_slot.c.

void pg_source_open(struct source *s);

/** LOCKING, then RECALLING; while another copy is at work WAITING_FOR_SLOT, and then the same again. */
void pg_source_lock(struct source *s);
void pg_source_wait(struct source *s, const char *why);
void pg_source_recalled(struct source *s, const struct source_state *known);

/** CHECKING and what follows from it. */
void pg_source_check(struct source *s);
void pg_source_save(struct source *s, bool is_done);
void pg_source_state_saved(struct source *s);

/** Drops the slot if the plan says so, makes it, reads the rows that are there. */
void pg_source_make_slot(struct source *s);

/** The snapshot gave its last change. */
void pg_source_snapshot_done(struct source *s);

/** on_open, once an opening or once after the last wait. */
void pg_source_tell_open(struct source *s, uint64_t position);

/** The connection has gone into the stream. */
void pg_source_streaming(struct source *s);

/** Reads the stream's socket unless the pipeline is full or the catalogue is being asked: an unread socket
 * would wake the loop without end. */
void pg_source_gate(struct source *s);

/** One step of it: the source's next() while streaming. */
enum source_step pg_source_stream_next(struct source *s, struct change *ret, struct fault *f) MUST_USE;

#endif
