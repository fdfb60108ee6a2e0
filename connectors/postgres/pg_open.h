// Opening: connect twice, lock other copies out, read the state record, check server and slot, bring the
// publications up to date, make the slot if it is the first start, and start the stream.
#ifndef CONNECTORS_POSTGRES_PG_OPEN_H
#define CONNECTORS_POSTGRES_PG_OPEN_H

#include "connectors/postgres/pg_lock.h"
#include "connectors/postgres/pg_session.h"

// In the order they are gone through; the right column is the phase that the listener hears of.
#define PG_OPEN_STATES(X)                                                                                    \
    X(CLOSED, NULL)                                                                                          \
    X(CONNECTING, "connecting") /* the ordinary connection, then the replication one */                      \
    X(LOCKING, NULL)            /* out other copies of this connector */                                     \
    X(LOADING_STATE, NULL)      /* the state record */                                                       \
    X(CHECKING, NULL)           /* server, slot, state record */                                             \
    X(SAVING_BEGIN, NULL)       /* the record that says a slot is about to be made */                        \
    X(SCANNING, NULL)           /* tables and publications */                                                \
    X(SAVING_NEW, NULL)         /* the record with the tables that appeared */                               \
    X(RECONCILING, NULL)        /* the publications */                                                       \
    X(WAITING_FOR_TABLES, "connecting")                                                                      \
    X(MAKING_SLOT, "connecting")                                                                             \
    X(IMPORTING, NULL)   /* the snapshot that the new slot exports */                                        \
    X(SAVING_SLOT, NULL) /* the record that says the slot is there */                                        \
    X(STARTING, NULL)    /* START_REPLICATION */                                                             \
    X(WAITING_FOR_SLOT, "waiting_for_slot")                                                                  \
    X(DONE, NULL) /* the session is the reader's */

enum pg_open_state {
#define X(name, phase) PG_OPEN_##name,
    PG_OPEN_STATES(X)
#undef X
};

struct pg_open {
    const struct pg_deps *deps;
    enum pg_open_state state;
    struct pg_session session;
    struct pg_lock lock;
    enum pg_slot_plan plan;
    uint64_t confirmed;             // by this process, in an earlier session; 0: none
    struct pg_dsn_address address;  // of the server that was good the last time: tried first
    char *explained;                // why no table is captured, as logged last
    uv_timer_t retry;
    void (*on_open)(void *self, struct pg_session *session);  // to be taken over
    void *self;
};

void pg_open_init(struct pg_open *o, const struct pg_deps *deps,
                  void (*on_open)(void *self, struct pg_session *session), void *self);
void pg_open_close_handles(struct pg_open *o, uv_close_cb on_closed, void *self);
void pg_open_clear(struct pg_open *o);

/** Begins; ends with on_open, or with the fault of the dependencies. @param confirmed  see above */
void pg_open_start(struct pg_open *o, uint64_t confirmed);

/** Answers on_load_state and on_state. */
void pg_open_state_loaded(struct pg_open *o, const struct source_state *known);
void pg_open_state_saved(struct pg_open *o);

/** Closes what is open and not handed over. */
void pg_open_stop(struct pg_open *o);

#endif
