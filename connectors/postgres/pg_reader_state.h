// The states of pg_reader, and which may follow each.
#ifndef CONNECTORS_POSTGRES_PG_READER_STATE_H
#define CONNECTORS_POSTGRES_PG_READER_STATE_H

#include <stdbool.h>

// The states, and whether the stream is read in them. Saving the state record may take long, because all
// records before it must be on Kafka, and for ever when a table waits at a bad row: the stream is read
// meanwhile, and so are tables that appear.
#define PG_READER_STATES(X)                                                                                  \
    X(STOPPED, false)                                                                                        \
    X(STREAMING, true)                                                                                       \
    X(SAVING_NEW, true)  /* saves which tables appeared */                                                   \
    X(RECONCILING, true) /* adds them to the publication */                                                  \
    X(BACKFILLING, true) /* pg_backfill_holds says when the stream must wait */                              \
    X(SAVING_DONE, true) /* saves that they are read */                                                      \
    X(ENDED, false)      /* the server ended the stream without an error */

enum pg_reader_state {
#define X(name, flows) PG_READER_##name,
    PG_READER_STATES(X)
#undef X
};

/** Whether the stream is read in this state. */
bool pg_reader_state_flows(enum pg_reader_state state);

bool pg_reader_state_may_follow(enum pg_reader_state from, enum pg_reader_state to);

const char *pg_reader_state_name(enum pg_reader_state state);

#endif
