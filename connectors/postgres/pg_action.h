// Runs heartbeat.action_query in the database, as often as heartbeats are published.
#ifndef CONNECTORS_POSTGRES_PG_ACTION_H
#define CONNECTORS_POSTGRES_PG_ACTION_H

#include "connectors/postgres/pg_session.h"
#include "core/base/outage.h"

/** Embedded; the owner sets the first two members. */
struct pg_action {
    const struct pg_deps *deps;
    struct pg_session *session;
    bool is_running;
    int64_t started_us;    // when it was run last
    struct outage outage;  // while it fails
};

/** A session begins. */
void pg_action_start(struct pg_action *a);

/** Runs the query if it is due. To be called about once a second, while session->sql is in no transaction. */
void pg_action_tick(struct pg_action *a);

#endif
