// Opens a session: connects twice, locks out other copies, loads the state record, checks server and slot,
// reconciles the publications, creates the slot at the first start, and starts the stream.
#ifndef CONNECTORS_POSTGRES_PG_OPEN_H
#define CONNECTORS_POSTGRES_PG_OPEN_H

#include "connectors/postgres/pg_connect.h"
#include "connectors/postgres/pg_lock.h"
#include "connectors/postgres/pg_session.h"

// In the usual order. The second argument is the phase that the listener is told, if any.
#define PG_OPEN_STATES(X)                                                                                    \
    X(CLOSED, NULL)                                                                                          \
    X(CONNECTING, "connecting") /* the ordinary connection, then the replication one */                      \
    X(LOCKING, NULL)            /* locks out other copies of this connector */                               \
    X(LOADING_STATE, NULL)      /* reads the state record */                                                 \
    X(CHECKING, NULL)           /* server, slot, state record */                                             \
    X(SAVING_BEGIN, NULL)       /* saves that a slot will be created */                                      \
    X(SCANNING, NULL)           /* reads tables and publications */                                          \
    X(SAVING_NEW, NULL)         /* saves which tables appeared */                                            \
    X(RECONCILING, NULL)        /* updates the publications */                                               \
    X(WAITING_FOR_TABLES, "connecting")                                                                      \
    X(CREATING_SLOT, "connecting")                                                                           \
    X(IMPORTING, NULL)   /* imports the snapshot that the new slot exports */                                \
    X(SAVING_SLOT, NULL) /* saves that the slot exists */                                                    \
    X(CHOOSING, NULL)    /* reads whether all types can be streamed in binary form */                        \
    X(STARTING, NULL)    /* START_REPLICATION */                                                             \
    X(WAITING_FOR_SLOT, "waiting_for_slot")                                                                  \
    X(DONE, NULL) /* the session was handed over */

enum pg_open_state {
#define X(name, phase) PG_OPEN_##name,
    PG_OPEN_STATES(X)
#undef X
};

struct pg_open {
    const struct pg_deps *deps;
    enum pg_open_state state;
    struct pg_session session;
    struct pg_connect connect;
    struct pg_lock lock;
    enum pg_slot_plan plan;
    bool needs_text;                // the stream has to be text
    uint64_t confirmed;             // the last position that this process confirmed; 0: none
    struct pg_dsn_address address;  // of the last server that passed the checks: tried first
    char *explained;                // the reason that no table is captured, as logged last
    uv_timer_t retry;
    void (*on_open)(void *self, struct pg_session *session);  // takes the session over
    void *self;
};

void pg_open_init(struct pg_open *o, const struct pg_deps *deps,
                  void (*on_open)(void *self, struct pg_session *session), void *self);
void pg_open_close_handles(struct pg_open *o, uv_close_cb on_closed, void *self);
void pg_open_clear(struct pg_open *o);

/** Starts; then calls on_open, or on_fault of the deps. See struct pg_open for `confirmed` and `needs_text`.
 */
void pg_open_start(struct pg_open *o, uint64_t confirmed, bool needs_text);

/** Answers on_load_state and on_state. */
void pg_open_state_loaded(struct pg_open *o, const struct source_state *known);
void pg_open_state_saved(struct pg_open *o);

/** Stops, and closes the session unless it was handed over. */
void pg_open_stop(struct pg_open *o);

#endif
