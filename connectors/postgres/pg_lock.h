// Locks that allow one copy of a connector at a time.
#ifndef CONNECTORS_POSTGRES_PG_LOCK_H
#define CONNECTORS_POSTGRES_PG_LOCK_H

#include "connectors/postgres/wire/pg_conn.h"

enum pg_lock_result {
    PG_LOCK_HELD,
    PG_LOCK_TAKEN,  // by another copy, or by a session that it left behind: retry soon
    PG_LOCK_FAULT,
};

struct pg_lock {
    struct pg_conn *replication;  // lent
    struct pg_conn *sql;          // lent
    const char *slot;             // its name; borrowed
    bool has_slot_lock;           // `replication` has it
    /** @param why  PG_LOCK_TAKEN: who has it; PG_LOCK_FAULT: the fault */
    void (*on_done)(void *self, enum pg_lock_result result, const struct fault *why);
    void *self;
};

/** Takes the locks that are not held yet. on_done follows, unless a connection is closed before. */
void pg_lock_take(struct pg_lock *l);

#endif
