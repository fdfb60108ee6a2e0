// Watches the catalogue beside the stream, on the ordinary connection: for new tables and lost replica
// identities; and refreshes what is known about the slot. One query at a time: a cheap probe, then if
// something changed a scan, then the slot.
#ifndef CONNECTORS_POSTGRES_PG_WATCH_H
#define CONNECTORS_POSTGRES_PG_WATCH_H

#include "connectors/postgres/pg_session.h"

/** Plain data, embedded. */
struct pg_watch {
    const struct pg_deps *deps;
    struct pg_session *session;      // lent; its `slot` is refreshed
    bool is_busy;                    // a query is in flight
    int64_t scanned_us;              // when the last scan began
    bool (*may_scan)(void *self);    // called after a probe
    void (*on_scanned)(void *self);  // tables and publications were read
    void *self;
};

/** Forgets the queries of an earlier session. A scan has just been done by pg_open. */
void pg_watch_start(struct pg_watch *w);

/** Starts a probe. Not while is_busy. */
void pg_watch_probe(struct pg_watch *w);

#endif
